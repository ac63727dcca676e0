"""Page chrome: base templates, formats, icons, security headers, errors. Knows no dog and no job."""
