"""An index as tools of the Model Context Protocol: what a language model may ask, what it is told, and over what.

Imports: errors, plain, places, records, ranking, search.
"""

from searcher.mcp.server import make_server, run_stdio, streamable_http_app
from searcher.mcp.told import NOTICE
from searcher.mcp.tools import TOOLS

__all__ = ["NOTICE", "TOOLS", "make_server", "run_stdio", "streamable_http_app"]
