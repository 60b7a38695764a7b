"""An index over HTTP: the guard, the lanes in which requests are answered, the routes, the page.

Imports: errors, system, places, records, readers, text, embedding, search.
"""

from searcher.serving.app import application
from searcher.serving.options import Options
from searcher.serving.running import run
from searcher.serving.service import Service

__all__ = ["Options", "Service", "application", "run"]
