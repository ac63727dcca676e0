"""The reports. Each module of this folder is loaded by itself; a report is one function in one."""

import pkgutil
from importlib import import_module

for _module in pkgutil.iter_modules(__path__):
    import_module(f"{__name__}.{_module.name}")
