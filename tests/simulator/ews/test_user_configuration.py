"""Settings that an application keeps in a folder."""

from __future__ import annotations

import pytest

from .conftest import Answer, Soap

NAME = (
    '<t:UserConfigurationName Name="Mine"><t:DistinguishedFolderId Id="contacts"/>'
    "</t:UserConfigurationName>"
)
ENTRY = (
    "<t:DictionaryEntry><t:DictionaryKey><t:Type>String</t:Type><t:Value>colour</t:Value>"
    "</t:DictionaryKey><t:DictionaryValue><t:Type>String</t:Type><t:Value>red</t:Value>"
    "</t:DictionaryValue></t:DictionaryEntry>"
)


def write(soap: Soap, operation: str, parts: str) -> list[str]:
    return soap.call(
        f"<m:{operation}><m:UserConfiguration>{NAME}{parts}</m:UserConfiguration></m:{operation}>"
    ).codes


def ask(soap: Soap, wanted: str = "All") -> Answer:
    name = NAME.replace("t:UserConfigurationName", "m:UserConfigurationName")
    return soap.call(
        f"<m:GetUserConfiguration>{name}<m:UserConfigurationProperties>{wanted}"
        "</m:UserConfigurationProperties></m:GetUserConfiguration>"
    )


def test_a_configuration_s_life(soap: Soap) -> None:
    dictionary = f"<t:Dictionary>{ENTRY}</t:Dictionary>"
    assert write(soap, "CreateUserConfiguration", dictionary) == ["NoError"]
    assert write(soap, "CreateUserConfiguration", dictionary) == ["ErrorItemSave"]
    made = ask(soap)
    assert made.text("//t:DictionaryValue/t:Value") == "red"
    assert write(soap, "UpdateUserConfiguration", "<t:XmlData>PGEvPg==</t:XmlData>") == ["NoError"]
    changed = ask(soap, "Id XmlData")
    assert changed.text("//t:XmlData") == "PGEvPg=="
    assert changed.find("//t:Dictionary") is None
    assert changed.change_key != made.change_key
    assert ask(soap).text("//t:DictionaryValue/t:Value") == "red"
    name = NAME.replace("t:UserConfigurationName", "m:UserConfigurationName")
    soap.done(f"<m:DeleteUserConfiguration>{name}</m:DeleteUserConfiguration>")
    assert ask(soap).codes == ["ErrorItemNotFound"]
    assert write(soap, "UpdateUserConfiguration", dictionary) == ["ErrorItemNotFound"]


def test_a_large_one_is_refused(soap: Soap) -> None:
    large = f"<t:BinaryData>{'A' * 1_100_000}</t:BinaryData>"
    assert write(soap, "CreateUserConfiguration", large) == ["ErrorMessageSizeExceeded"]


@pytest.mark.parametrize(("sent", "kept"), [("1", "true"), ("0", "false"), ("true", "true")])
def test_a_truth_value_is_answered_in_words(soap: Soap, sent: str, kept: str) -> None:
    """exchangelib sends digits and reads words."""
    entry = ENTRY.replace("String</t:Type><t:Value>red", f"Boolean</t:Type><t:Value>{sent}")
    assert write(soap, "CreateUserConfiguration", f"<t:Dictionary>{entry}</t:Dictionary>") == [
        "NoError"
    ]
    assert ask(soap).text("//t:DictionaryValue/t:Value") == kept
