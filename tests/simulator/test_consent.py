"""The consent page, used as a browser does: forms, redirects, and what a token then says."""

from __future__ import annotations

from collections.abc import Iterator
from html.parser import HTMLParser
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest
import requests

from cirahub_simulator.client import AdminClient
from cirahub_simulator.process import EmbeddedSimulator
from cirahub_simulator.seed.generate import CIRAHUB, ELSEWHERE, TENANTS

from .conftest import SignIn

CONTOSO, FABRIKAM, NORTHWIND = TENANTS
BACK = "https://cirahub.example/consented"


class Form(HTMLParser):
    """The words of a page, and the buttons of its form."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.words: list[str] = []
        self.buttons: list[tuple[str, str]] = []
        self.method = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "form":
            self.method = given.get("method") or ""
        elif tag == "button":
            self.buttons.append((given.get("name") or "", given.get("value") or ""))

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def text(self) -> str:
        return "".join(self.words)


class Browser:
    def __init__(self, simulator: EmbeddedSimulator) -> None:
        self.session = requests.Session()
        self.session.verify = simulator.endpoints.ca_file
        self.entra = simulator.endpoints.entra

    def open(self, tenant: str, path: str = "adminconsent", **query: str) -> requests.Response:
        return self.session.get(f"{self.entra}/{tenant}/{path}", params=query, timeout=30)

    def press(self, page: requests.Response, button: str) -> requests.Response:
        form = Form(page.text)
        assert form.method == "post"
        assert ("answer", button) in form.buttons
        return self.session.post(
            page.url, data={"answer": button}, timeout=30, allow_redirects=False
        )


@pytest.fixture
def browser(simulator: EmbeddedSimulator) -> Iterator[Browser]:
    made = Browser(simulator)
    with made.session:
        yield made


def roles(token: str) -> list[str]:
    return list(jwt.decode(token, options={"verify_signature": False}).get("roles", []))


def test_the_page_names_who_asks_for_what_and_where(browser: Browser) -> None:
    page = browser.open(CONTOSO.id, client_id=CIRAHUB)

    assert page.status_code == 200
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    shown = Form(page.text).text
    for words in ("cirahub", CIRAHUB, CONTOSO.display_name, "Contacts.ReadWrite", "User.Read.All"):
        assert words in shown


def test_consent_makes_an_unknown_application_one_that_signs_in(
    browser: Browser, sign_in: SignIn
) -> None:
    given = {"client_id": ELSEWHERE, "credential": "simulated-elsewhere-secret"}
    assert sign_in.ask(**given)["error_codes"] == [700016]

    pressed = browser.press(browser.open(CONTOSO.domain, client_id=ELSEWHERE), "accept")

    assert pressed.status_code == 200
    assert "Consent given" in Form(pressed.text).text
    assert roles(sign_in.token(**given)) == ["Contacts.ReadWrite", "User.Read.All"]


def test_cancelling_grants_nothing(browser: Browser, sign_in: SignIn) -> None:
    pressed = browser.press(browser.open(CONTOSO.domain, client_id=ELSEWHERE), "cancel")

    assert "Nothing was granted" in Form(pressed.text).text
    given = {"client_id": ELSEWHERE, "credential": "simulated-elsewhere-secret"}
    assert sign_in.ask(**given)["error_codes"] == [700016]


def test_opening_the_page_grants_nothing(browser: Browser, admin: AdminClient) -> None:
    browser.open(CONTOSO.domain, client_id=ELSEWHERE)

    granted = {one["client_id"]: one["granted"] for one in admin.call("GET", "/applications")}
    assert set(granted[ELSEWHERE]) == {NORTHWIND.id}


@pytest.mark.parametrize(
    ("button", "told"),
    [
        ("accept", {"admin_consent": ["True"], "tenant": [CONTOSO.id], "state": ["a&b"]}),
        (
            "cancel",
            {
                "error": ["permission_denied"],
                "error_description": ["The admin canceled the request"],
                "state": ["a&b"],
            },
        ),
    ],
)
def test_the_browser_is_sent_back_with_the_answer(
    browser: Browser, button: str, told: dict[str, list[str]]
) -> None:
    page = browser.open(CONTOSO.id, client_id=ELSEWHERE, redirect_uri=BACK, state="a&b")

    pressed = browser.press(page, button)

    assert pressed.status_code == 302
    location = urlsplit(pressed.headers["Location"])
    assert location._replace(query="").geturl() == BACK
    assert parse_qs(location.query) == told


@pytest.mark.parametrize(
    ("scope", "granted"),
    [
        ("https://graph.microsoft.com/.default", ["Contacts.ReadWrite", "User.Read.All"]),
        ("https://graph.microsoft.com/Contacts.Read", []),
    ],
)
def test_application_permissions_come_with_the_default_scope_alone(
    browser: Browser, sign_in: SignIn, scope: str, granted: list[str]
) -> None:
    page = browser.open(
        CONTOSO.id, "v2.0/adminconsent", client_id=ELSEWHERE, scope=scope, redirect_uri=BACK
    )

    pressed = browser.press(page, "accept")

    assert parse_qs(urlsplit(pressed.headers["Location"]).query)["scope"] == [scope]
    token = sign_in.token(client_id=ELSEWHERE, credential="simulated-elsewhere-secret")
    assert roles(token) == granted


@pytest.mark.parametrize(
    ("tenant", "path", "query", "code"),
    [
        (CONTOSO.id, "adminconsent", {}, "AADSTS900144"),
        ("nobody.example", "adminconsent", {"client_id": CIRAHUB}, "AADSTS90002"),
        (CONTOSO.id, "adminconsent", {"client_id": CONTOSO.id}, "AADSTS700016"),
        (
            CONTOSO.id,
            "adminconsent",
            {"client_id": ELSEWHERE, "redirect_uri": "https://evil.example"},
            "AADSTS50011",
        ),
        (CONTOSO.id, "v2.0/adminconsent", {"client_id": CIRAHUB}, "AADSTS900144"),
    ],
)
def test_what_cannot_be_consented_to_is_a_page_that_says_so(
    browser: Browser, tenant: str, path: str, query: dict[str, str], code: str
) -> None:
    page = browser.open(tenant, path, **query)

    assert page.status_code == 400
    assert code in Form(page.text).text
    assert not Form(page.text).buttons


def test_names_are_shown_and_not_run(
    simulator: EmbeddedSimulator, admin: AdminClient, browser: Browser
) -> None:
    line = (
        f'{{"kind":"application","clientId":"{CONTOSO.id}","homeTenant":"{CONTOSO.domain}",'
        '"displayName":"<script>alert(1)</script>"}'
    )
    requests.post(f"{simulator.endpoints.admin}/seed", data=line, timeout=30).raise_for_status()

    page = browser.open(CONTOSO.id, client_id=CONTOSO.id)

    assert "<script" not in page.text
    assert "<script>alert(1)</script>" in Form(page.text).text
