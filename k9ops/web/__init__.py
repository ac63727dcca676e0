"""Page chrome: base templates, formats, icons, security headers, errors; no dog and no job."""
