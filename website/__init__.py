"""What the documentation site has beside the pages of docs/: those that are written from docstrings.

`mkdocs build --strict` makes the site; mkdocs.yml calls hooks.py. Nothing of this is in the package.
"""
