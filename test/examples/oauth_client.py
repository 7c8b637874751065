# An OAuth client by authlib: it finds the endpoints of the gateway, introspects and revokes, and prints what it got.

import json
import os

import httpx
from authlib.integrations.httpx_client import OAuth2Client
from authlib.oauth2.rfc8414 import get_well_known_url

issuer = os.environ["ISSUER"]
origin = "/".join(issuer.split("/")[:3])


def at_gateway(url):
    """The URL at the gateway, to which a proxy would lead."""
    assert url.startswith(origin)
    return os.environ["GATEWAY"] + url[len(origin) :]


def client(method, secret=os.environ["CLIENT_SECRET"]):
    return OAuth2Client(
        os.environ["CLIENT_ID"],
        secret,
        token_endpoint_auth_method=method,
        revocation_endpoint_auth_method=method,
    )


metadata = httpx.get(at_gateway(get_well_known_url(issuer, external=True))).json()
introspection = at_gateway(metadata["introspection_endpoint"])
revocation = at_gateway(metadata["revocation_endpoint"])
found = {"issuer": metadata["issuer"]}

for method in ["client_secret_basic", "client_secret_post"]:
    tokens = json.loads(os.environ[method.upper()])
    with client(method) as session:
        answers = [session.introspect_token(introspection, token=token).json() for token in tokens]
        revoked = session.revoke_token(revocation, token=tokens[1], token_type_hint="refresh_token")
        after = session.introspect_token(introspection, token=tokens[0]).json()
    with client(method, "another secret") as session:
        refused = session.introspect_token(introspection, token=tokens[0])
    found[method] = {
        "token_use": [answer["token_use"] for answer in answers],
        "sub": answers[0]["sub"],
        "revoked": revoked.status_code,
        "after": after,
        "refused": [refused.status_code, refused.json()["error"]],
    }

with client("none", None) as session:
    token = json.loads(os.environ["NONE"])[0]
    found["none"] = session.revoke_token(revocation, token=token).status_code

print(json.dumps(found))
