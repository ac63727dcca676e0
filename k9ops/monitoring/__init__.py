"""The look across: pages, commands and API of jobs and runs."""
