"""The frameworks' suites hold tests that are coroutines; no plugin is needed to run these."""

import asyncio
import inspect

import pytest


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    wanted = pyfuncitem._fixtureinfo.argnames
    asyncio.run(pyfuncitem.obj(**{name: pyfuncitem.funcargs[name] for name in wanted}))
    return True


def pytest_configure(config: pytest.Config) -> None:
    """What the frameworks' suites mark, where the plugins of these marks are not loaded."""
    for name in ("asyncio", "benchmark", "vcr", "enable_socket", "disable_socket", "requires", "compile"):
        config.addinivalue_line("markers", f"{name}: of the frameworks' suites")
