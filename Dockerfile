# One image for every process of the unit: web, worker, Beat, migrations. docs/docker.md tells how.
# Debian 12 brings pg_dump 15: the server of docker-compose.yml must not be newer.
FROM python:3.11-slim-bookworm AS base
ENV PATH=/app/.venv/bin:$PATH PYTHONUNBUFFERED=1
WORKDIR /app
COPY scripts/system-packages scripts/
# The script lets people go on without a package, an image may not: a second call must be silent.
RUN scripts/system-packages run \
    && test -z "$(scripts/system-packages run)" \
    && rm -rf /var/lib/apt/lists/*

FROM base AS packages
COPY requirements.txt ./
RUN python -m venv .venv \
    && .venv/bin/pip install --no-cache-dir --require-hashes -r requirements.txt
COPY k9ops/translations k9ops/translations
RUN pybabel --quiet compile --directory k9ops/translations

FROM base AS assets
COPY requirements-build.txt ./
RUN pip install --no-cache-dir --require-hashes -r requirements-build.txt
COPY package.json package-lock.json .npmrc ./
COPY scripts/assets.py scripts/
COPY k9ops/web/icons.txt k9ops/web/
RUN python -m scripts.assets

FROM base
RUN useradd --uid 10001 --create-home k9ops \
    && install -d -o k9ops -g k9ops -m 700 /var/lib/k9ops /var/backups/k9ops
COPY --from=packages /app/.venv .venv
COPY . .
COPY --from=packages /app/k9ops/translations k9ops/translations
COPY --from=assets /app/k9ops/web/static/vendor k9ops/web/static/vendor
RUN python -m compileall -q config.py wsgi.py k9ops migrations scripts
USER 10001
EXPOSE 8000
CMD ["gunicorn", "-c", "gunicorn.conf.py", "wsgi:app"]
