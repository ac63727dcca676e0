"""Counting the rows of a dump's script as it streams by."""

import pytest

from k9ops.backups.verifying import ScriptCounter

SCRIPT = rb"""--
CREATE TABLE public.dogs (id integer, name text);

COPY public.dogs (id, name) FROM stdin;
1	Rex
2	line\nbreak
3	\\.
\.


--
COPY public."odd (name)" (id) FROM stdin;
\.


COPY public.alembic_version (version_num) FROM stdin;
0007
\.


CREATE INDEX dogs_name ON public.dogs (name);
"""


@pytest.mark.parametrize("size", [1, 2, 3, 7, 50, len(SCRIPT)])
def test_script_counter_counts_the_same_when_pieces_are_of_any_size(size):
    counter = ScriptCounter()
    for start in range(0, len(SCRIPT), size):
        counter.read(SCRIPT[start : start + size])
    assert counter.tables == {"dogs": 3, "odd (name)": 0, "alembic_version": 1}
    assert counter.migration_head == "0007"
