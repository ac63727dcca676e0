"""Page chrome: base templates, forms, formats, security headers, errors. Knows no dog and no job."""
