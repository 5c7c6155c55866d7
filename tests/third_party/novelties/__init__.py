"""A package of parts and models that knows nothing of the zoo but its public names.

Every module of it registers its parts when the package is imported.
"""

import importlib
import pkgutil

for _module in pkgutil.iter_modules(__path__):
    importlib.import_module(f"{__name__}.{_module.name}")
