"""The server: tools and documents over stdio or HTTP by the official SDK; what fails is told in a line, and it goes on.

The SDK's low-level server is used, as the other one sets up logging for the whole process and puts words of its own
before every error.
"""

import logging
import re
from collections.abc import Callable
from threading import Lock
from typing import TYPE_CHECKING, Any, TypeVar

import anyio
from anyio.to_thread import run_sync
from mcp import types
from mcp.server.lowlevel import Server
from mcp.server.stdio import stdio_server
from mcp.server.transport_security import TransportSecuritySettings
from mcp.shared.exceptions import MCPError

from searcher import __version__
from searcher.errors import BadValue, SearcherError, UnknownName
from searcher.mcp.arguments import checked
from searcher.mcp.stdio import Answered
from searcher.mcp.told import LONGEST_NAME, NOTICE, short
from searcher.mcp.tools import TOOLS, Tool, document_named, uri_of

if TYPE_CHECKING:
    from starlette.applications import Starlette

    from searcher.search import Searcher

__all__ = ["make_server", "run_stdio", "streamable_http_app"]

INSTRUCTIONS = (
    "Semantic search over the user's own documents. Use search (or context, within a budget of tokens) for questions "
    f"that these may answer, fetch to read on, answer for a FAQ; cite source and line. {NOTICE}"
)
WORKERS = 2  # calls that are worked on at once
PAGE = 100  # documents of a page of resources
RESOURCE = 100_000  # characters of a resource
ADDRESS = re.compile(r"searcher://document/\d{1,18}\Z")
T = TypeVar("T")
logger = logging.getLogger(__name__)


class _Index:
    """An index that is opened when it is first asked, in a thread of its own so that the protocol goes on."""

    def __init__(self, open_index: Callable[[], "Searcher"]) -> None:
        self._open, self._lock = open_index, Lock()
        self._searcher: Searcher | None = None
        self._limiter = anyio.CapacityLimiter(WORKERS)

    async def run(self, work: Callable[["Searcher"], T]) -> T:
        """What the work gives. SearcherError where the index or the work fails, with the line that is told."""
        return await run_sync(self._done, work, limiter=self._limiter)

    def _done(self, work: Callable[["Searcher"], T]) -> T:
        try:
            with self._lock:
                if self._searcher is None:
                    self._searcher = self._open()
            return work(self._searcher)
        except SearcherError:
            raise
        except OSError as fault:
            raise SearcherError(f"{fault.filename or 'the system'}: {fault.strerror or fault}") from fault
        except MemoryError:
            raise SearcherError("out of memory") from None
        except Exception as fault:  # a fault of ours: the server must not die of it
            logger.exception("a tool failed")
            raise SearcherError(f"an unexpected {type(fault).__name__}: {' '.join(str(fault).split())}") from fault


def make_server(open_index: Callable[[], "Searcher"], allow_writes: bool = False) -> Server[Any]:
    """A server of the SDK over an index. open_index: gives it at the first call of a tool, again if that failed.

    allow_writes: whether there are the tools add and remove.
    """
    index = _Index(open_index)
    tools = {name: tool for name, tool in TOOLS.items() if allow_writes or not tool.writes}

    async def list_tools(_: Any, __: types.PaginatedRequestParams | None) -> types.ListToolsResult:
        return types.ListToolsResult(tools=[_described(name, tool) for name, tool in tools.items()])

    async def call_tool(_: Any, call: types.CallToolRequestParams) -> types.CallToolResult:
        try:
            if (tool := tools.get(call.name)) is None:
                raise UnknownName("tool", call.name, tools)
            asked = checked(call.name, tool.takes, call.arguments or {})
            told = await index.run(lambda searcher: tool.run(searcher, asked))
        except SearcherError as fault:
            return _result(" ".join(str(fault).split()), is_error=True)
        return _result(told.text, structured_content=told.data.model_dump(mode="json"))

    async def list_resources(_: Any, page: types.PaginatedRequestParams | None) -> types.ListResourcesResult:
        start = _start_of(page.cursor if page else None)
        return await index_or_error(lambda searcher: _resources(searcher, start))

    async def list_templates(_: Any, __: types.PaginatedRequestParams | None) -> types.ListResourceTemplatesResult:
        return types.ListResourceTemplatesResult(resource_templates=[types.ResourceTemplate(
            name="document", title="A document", uri_template="searcher://document/{id}", mime_type="text/plain",
            description="The text of a document; id is a number, as search, context and list give it.",
        )])  # fmt: skip

    async def read_resource(_: Any, asked: types.ReadResourceRequestParams) -> types.ReadResourceResult:
        return await index_or_error(lambda searcher: _resource(searcher, str(asked.uri)))

    async def index_or_error(work: Callable[["Searcher"], T]) -> T:
        try:
            return await index.run(work)
        except BadValue as fault:
            raise MCPError(types.INVALID_PARAMS, str(fault)) from None
        except SearcherError as fault:
            raise MCPError(types.INTERNAL_ERROR, str(fault)) from None

    return Server(
        "searcher", version=__version__, title="searcher", instructions=INSTRUCTIONS, on_list_tools=list_tools,
        on_call_tool=call_tool, on_list_resources=list_resources, on_list_resource_templates=list_templates,
        on_read_resource=read_resource,
    )  # fmt: skip


def _described(name: str, tool: Tool) -> types.Tool:
    hints = types.ToolAnnotations(
        title=tool.title, read_only_hint=not tool.writes, destructive_hint=tool.destroys, open_world_hint=False,
        idempotent_hint=True,
    )  # fmt: skip
    return types.Tool(
        name=name, title=tool.title, description=tool.description, annotations=hints,
        input_schema=tool.takes.model_json_schema(), output_schema=tool.tells.model_json_schema(mode="serialization"),
    )  # fmt: skip


def _result(text: str, **other: Any) -> types.CallToolResult:
    return types.CallToolResult(content=[types.TextContent(type="text", text=text)], **other)


def _start_of(cursor: str | None) -> int:
    if cursor is None:
        return 0
    if not cursor.isascii() or not cursor.isdigit() or len(cursor) > 18:
        raise MCPError(types.INVALID_PARAMS, f"cursor is {cursor!r:.40}; good: the one that the last page gave")
    return int(cursor)


def _resources(searcher: "Searcher", start: int) -> types.ListResourcesResult:
    """A page of the documents, in the order of their sources."""
    rows = searcher.listing()
    page = rows[start : start + PAGE]
    numbers = searcher.engine.named("source", [row["source"] for row in page]) if page else {}
    resources = [
        types.Resource(
            uri=uri_of(numbers[row["source"]][0]), name=short(row["source"]), title=short(row["title"] or "") or None,
            mime_type="text/plain", description=f"{row['characters']:,} characters",
        )
        for row in page
        if row["source"] in numbers
    ]  # fmt: skip
    following = str(start + PAGE) if start + PAGE < len(rows) else None
    return types.ListResourcesResult(resources=resources, next_cursor=following)


def _resource(searcher: "Searcher", uri: str) -> types.ReadResourceResult:
    """The text of a document, as far as that goes into an answer."""
    if not ADDRESS.match(uri):
        raise BadValue(f"no resource {uri[:LONGEST_NAME]!r}; good: searcher://document/17")
    _, document = document_named(searcher, uri)
    text = document.text[:RESOURCE]
    if len(document.text) > RESOURCE:
        text += f"\n…[cut at character {RESOURCE:,} of {len(document.text):,}; the tool fetch reads on]"
    return types.ReadResourceResult(contents=[types.TextResourceContents(uri=uri, text=text, mime_type="text/plain")])


def run_stdio(open_index: Callable[[], "Searcher"], allow_writes: bool = False) -> None:
    """Serve over stdin and stdout until stdin ends; what else is printed meanwhile goes to stderr."""
    server = make_server(open_index, allow_writes)

    async def serve() -> None:
        async with stdio_server() as (incoming, outgoing):
            messages: Any = Answered(incoming, outgoing)
            await server.run(messages, outgoing, server.create_initialization_options())

    anyio.run(serve)


def streamable_http_app(searcher: "Searcher", *, allow_writes: bool = False, path: str = "/mcp") -> "Starlette":
    """An ASGI app that serves the same over HTTP at a path, without sessions.

    Its routes can be taken into another app, whose lifespan then has to enter `app.router.lifespan_context(app)`.
    Which Host, Origin and token a request must have is for the app around it to see to.
    """
    server = make_server(lambda: searcher, allow_writes)
    return server.streamable_http_app(
        streamable_http_path=path, json_response=True, stateless_http=True,
        transport_security=TransportSecuritySettings(enable_dns_rebinding_protection=False),
    )  # fmt: skip
