"""The page for people: files as they are, out of a folder of ours, named in full."""

from functools import cache
from importlib.resources import files

from fastapi import APIRouter, Response

from searcher.serving.problems import Refused

router = APIRouter(include_in_schema=False)

TYPES = {
    ".html": "text/html; charset=utf-8", ".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml", ".png": "image/png", ".ico": "image/x-icon", ".webmanifest": "application/manifest+json",
    ".woff2": "font/woff2",
}  # fmt: skip
CACHING = {"Cache-Control": "no-cache"}  # the next version's files have the same names


@cache
def _page() -> dict[str, bytes]:
    """Name → content of every file of the page: nothing else can be asked for, whatever a path says."""
    folder = files("searcher.serving") / "page"
    return {each.name: each.read_bytes() for each in folder.iterdir() if each.is_file() and _suffix(each.name) in TYPES}


def _suffix(name: str) -> str:
    return f".{name.rpartition('.')[2]}"


@router.get("/")
async def index() -> Response:
    """The page."""
    return await part("index.html")


@router.get("/page/{name}")
async def part(name: str) -> Response:
    """A file of it."""
    if name not in _page():
        raise Refused(404, "the page has no such file")
    return Response(_page()[name], media_type=TYPES[_suffix(name)], headers=CACHING)
