"""No message, record or log line holds a secret of an address or of a setting."""

import pytest

from causalrec.masking import masked, secret_in, secret_values


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("sftp://ann:s3cr3t@host/logs", "sftp://***@host/logs"),
        ("see https://s3cr3t@host/a and s3://k:s3cr3t@bucket/b.", "see https://***@host/a and s3://***@bucket/b."),
        ("https://host/a?sig=s3cr3t&x=1 failed", "https://host/a?*** failed"),
        ("url='https://host/a?token=s3cr3t'", "url='https://host/a?***'"),
        ("password=s3cr3t, host=there", "password=***, host=there"),
        ("{'secret': 's3cr3t', 'region': 'eu'}", "{'secret': ***, 'region': 'eu'}"),
        ('"aws_secret_access_key": "s3 cr3t"', '"aws_secret_access_key": ***'),
        ("AccountKey: s3cr3t; AccountName: me", "AccountKey: ***; AccountName: me"),
        ("sas=s3cr3t", "sas=***"),
    ],
)
def test_what_is_secret_by_its_place_is_hidden(text, shown):
    assert masked(text) == shown


@pytest.mark.parametrize(
    "text",
    [
        "events.csv, row 3: `price` is 'x', which is not a number",
        "s3://bucket/logs/day=2026-03-02/a.csv cannot be read",
        "a disaster: nothing is left",
        "mail ann@example.org",
        "/data/landing/events/day=2026-03-02",
    ],
)
def test_what_is_no_secret_is_shown(text):
    assert masked(text) == text


def test_values_of_options_are_hidden_wherever_they_stand():
    options = {"key": "me-myself", "client_kwargs": {"pass": ["s3cr3t"]}, "endpoint_url": "http://there", "anon": False}
    assert masked("me-myself at http://there says s3cr3t", secret_values(options)) == "*** at http://there says ***"


@pytest.mark.parametrize("url", ["s3://bucket/a", "sftp://ann@host/logs", "memory://x", "gs://b/day=1"])
def test_an_address_without_a_password_or_a_query_has_no_secret(url):
    assert secret_in(url) is None
