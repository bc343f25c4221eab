"""A headless browser opens the page of somebody else while our servers run: nothing of ours is read or changes."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from causalrec_assets.commands.home import create_home
from tests.tour.ui import browser_path
from tests.web.servers import ask, foreign_page, free_port, started

BROWSER = browser_path()
pytestmark = pytest.mark.skipif(BROWSER is None, reason="there is no chromium, chromium-browser or google-chrome")

LIMITS = "{ instance { concurrencyLimits { concurrencyKey } } }"


def mutation(key: str) -> str:
    """One that needs no code location: it makes a pool of that name."""
    return f'mutation {{ setConcurrencyLimit(concurrencyKey: "{key}", limit: 1) }}'


ATTACKS = """<!DOCTYPE html><title>foreign</title><body>
<img src="{target}/graphql?query={image}">
<iframe name="sink"></iframe>
<form id="plain" method="post" enctype="text/plain" target="sink"
  action="{target}/graphql?query={form}"><input name="a" value="b"></form>
<iframe name="other"></iframe>
<form id="get" method="get" target="other" action="{target}/graphql">
  <input name="query" value='{get}'></form>
<iframe id="frame" src="{target}/"></iframe>
<script>
const target = "{target}", done = {{}};
document.getElementById("plain").submit();
document.getElementById("get").submit();
const post = (name, type, body, mode) =>
  fetch(target + "/graphql", {{method: "POST", mode: mode, body: body, headers: {{"Content-Type": type}}}})
  .then(async answer => {{ done[name] = mode === "no-cors" ? "opaque" : await answer.text(); }})
  .catch(error => {{ done[name] = "refused"; }});
const socket = new Promise(resolve => {{
  const opened = new WebSocket(target.replace("http", "ws") + "/graphql", "graphql-ws");
  opened.onopen = () => {{ done.socket = "open"; opened.close(); resolve(); }};
  opened.onerror = () => {{ done.socket = "refused"; resolve(); }};
}});
const loaded = url => fetch(url).then(async answer => {{ done.read = await answer.text(); }})
  .catch(() => {{ done.read = "refused"; }});
Promise.all([
  post("fetch", "application/json", JSON.stringify({{query: {fetched} }}), "cors"),
  post("simple", "text/plain;application/json", JSON.stringify({{query: {simple} }}), "no-cors"),
  loaded(target + "/server_info"), socket, new Promise(r => setTimeout(r, 1500)),
]).then(() => {{ document.title = JSON.stringify(done); }});
</script>"""


def attacks_on(target: str) -> str:
    return ATTACKS.format(
        target=target,
        image=quote(mutation("image")),
        form=quote(mutation("form")),
        get=mutation("get"),
        fetched=json.dumps(mutation("fetch")),
        simple=json.dumps(mutation("simple")),
    )


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Dagster's web server behind the guard."""
    yield from dagster_server("causalrec_assets.web.dagster_server", tmp_path_factory.mktemp("guarded"))


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The same as Dagster serves it."""
    yield from dagster_server("dagster_webserver", tmp_path_factory.mktemp("bare"))


def dagster_server(module: str, root: Path) -> Iterator[str]:
    home, port = create_home(root / "home"), free_port()
    arguments = [module, "--empty-workspace", "-p", str(port)]
    with started(arguments, port, root / "server.log", DAGSTER_HOME=str(home.dagster)) as address:
        yield address


@pytest.fixture(scope="module")
def mlflow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """MLflow's server behind the guard, and its store."""
    root, port = tmp_path_factory.mktemp("mlflow"), free_port()
    home = create_home(root / "home")
    make_store(home.root / "mlflow.db")
    arguments = ["causalrec_assets.web.mlflow_server", "--port", str(port)]
    with started(arguments, port, root / "server.log", CAUSALREC_HOME=str(home.root)) as address:
        yield address, home.root / "mlflow.db"


def make_store(path: Path) -> None:
    """An MLflow store with one experiment."""
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

    SqlAlchemyStore(f"sqlite:///{path}", str(path.parent / "mlartifacts"))


@pytest.fixture(scope="module")
def browser() -> Iterator[object]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        # evil.example is a name of the attacker that leads here: what DNS rebinding brings about.
        arguments = ["--no-sandbox", "--host-resolver-rules=MAP evil.example 127.0.0.1"]
        opened = playwright.chromium.launch(executable_path=BROWSER, args=arguments)
        yield opened
        opened.close()


def visit(browser, url: str) -> dict[str, str]:
    """Open a page that puts what came of its attacks into its title."""
    page = browser.new_page()
    page.goto(url)
    page.wait_for_function("document.title.startsWith('{')", timeout=30_000)
    found: dict[str, str] = json.loads(page.title())
    page.close()
    return found


def pools(address: str) -> set[str]:
    found = ask(address, LIMITS)["data"]["instance"]["concurrencyLimits"]
    return {limit["concurrencyKey"] for limit in found}


@pytest.mark.slow
def test_these_attacks_do_change_a_server_that_nothing_guards(bare, browser) -> None:
    with foreign_page(attacks_on(bare)) as port:
        found = visit(browser, f"http://127.0.0.1:{port}/")
    assert found["socket"] == "open"
    assert {"image", "form", "simple"} <= pools(bare)


def test_behind_the_guard_a_foreign_page_changes_and_reads_nothing(guarded, browser) -> None:
    for host in ("127.0.0.1", "localhost", "evil.example"):
        with foreign_page(attacks_on(guarded)) as port:
            found = visit(browser, f"http://{host}:{port}/")
        assert found["socket"] == "refused"
        assert found["fetch"] == "refused"
        assert found["read"] == "refused"
        assert pools(guarded) == set()


def test_a_name_that_was_pointed_here_opens_nothing(guarded, browser) -> None:
    """DNS rebinding: for the browser the attacker's page and our server are of one origin."""
    port = guarded.rpartition(":")[2]
    page = browser.new_page()
    answer = page.goto(f"http://evil.example:{port}/")
    assert answer is not None
    assert answer.status == 403
    said = page.evaluate(
        """async body => (await fetch('/graphql', {method: 'POST', body: body,
            headers: {'Content-Type': 'application/json'}})).status""",
        json.dumps({"query": mutation("rebound")}),
    )
    page.close()
    assert said == 403
    assert pools(guarded) == set()


def test_the_real_ui_works_behind_the_guard_and_greets_nobody(guarded, browser) -> None:
    page = browser.new_page()
    failed: list[str] = []
    sockets: list[str] = []
    page.on("response", lambda answer: failed.append(answer.url) if answer.status >= 400 else None)
    page.on("websocket", lambda opened: sockets.append(opened.url))
    page.goto(f"{guarded}/deployment/concurrency")
    page.get_by_text("Pools").first.wait_for(timeout=30_000)
    page.wait_for_timeout(1500)
    assert page.get_by_role("button", name="Skip").count() == 0
    assert page.get_by_text("Join the Dagster").count() == 0
    assert failed == []
    page.close()


def test_a_link_from_elsewhere_opens_a_page(guarded, browser) -> None:
    with foreign_page(f'<a id="link" href="{guarded}/runs">the run</a>') as port:
        page = browser.new_page()
        page.goto(f"http://evil.example:{port}/")
        page.click("#link")
        page.wait_for_url(f"{guarded}/runs**", timeout=30_000)
        page.close()


@pytest.mark.slow
def test_mlflow_behind_the_guard_is_changed_by_its_own_page_only(mlflow, browser) -> None:
    attack = """<!DOCTYPE html><title>foreign</title><script>
    const body = JSON.stringify({name: "planted"}), url = "%s/ajax-api/2.0/mlflow/experiments/create", done = {};
    const post = (type, mode) => fetch(url, {method: "POST", mode: mode, body: body, headers: {"Content-Type": type}})
      .then(async a => { done[mode] = mode === "no-cors" ? "opaque" : String(a.status); })
      .catch(() => { done[mode] = "refused"; });
    Promise.all([post("application/json", "cors"), post("text/plain", "no-cors")])
      .then(() => { document.title = JSON.stringify(done); });
    </script>"""
    address, store = mlflow
    for host in ("127.0.0.1", "localhost", "evil.example"):
        with foreign_page(attack % address) as port:
            assert visit(browser, f"http://{host}:{port}/")["cors"] == "refused"
        assert experiments(store) == {"Default"}
    page = browser.new_page()
    answer = page.goto(f"http://evil.example:{address.rpartition(':')[2]}/")
    assert answer is not None
    assert answer.status == 403
    answer = page.goto(address)
    assert answer is not None
    assert answer.status == 200
    said = page.evaluate(
        """async body => (await fetch('/ajax-api/2.0/mlflow/experiments/create', {method: 'POST', body: body,
            headers: {'Content-Type': 'application/json'}})).status""",
        json.dumps({"name": "made by its own page"}),
    )
    page.close()
    assert said == 200
    assert experiments(store) == {"Default", "made by its own page"}


def experiments(store: Path) -> set[str]:
    with sqlite3.connect(store) as connection:
        return {name for (name,) in connection.execute("SELECT name FROM experiments")}
