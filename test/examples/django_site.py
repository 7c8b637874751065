"""A Django site for tests, served by two processes that are forked after it is loaded.

`/asks` authenticates by the class of examples/python, `/verifies` by simplejwt, which checks signatures alone.
"""

import os
from wsgiref.simple_server import WSGIRequestHandler, make_server

import django
import page_settings
from django.conf import settings
from django.core.management import call_command
from django.core.wsgi import get_wsgi_application
from django.db import connections
from django.urls import path

settings.configure(
    **{
        **{name: value for name, value in vars(page_settings).items() if name.isupper()},
        "LATCHKEY_ADDRESS": os.environ["LATCHKEY_ADDRESS"],
    },
    SECRET_KEY="for tests alone",
    ALLOWED_HOSTS=["127.0.0.1"],
    ROOT_URLCONF=__name__,
    INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "rest_framework"],
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": "site.sqlite"}},
    SIMPLE_JWT={"SIGNING_KEY": os.environ["JWT_SECRET"], "USER_ID_CLAIM": "sub"},
)
django.setup()

from django.contrib.auth.models import User  # noqa: E402
from rest_framework.response import Response  # noqa: E402
from rest_framework.views import APIView  # noqa: E402
from rest_framework_simplejwt.authentication import JWTAuthentication  # noqa: E402


class Asks(APIView):
    def get(self, request):
        role = request.auth.claims["role"] if "role" in request.auth.claims else None
        return Response({"user": request.user.username, "worker": os.getpid(), "role": role})


class Verifies(APIView):
    authentication_classes = [JWTAuthentication]

    def get(self, request):
        return Response({"user": request.user.username})


urlpatterns = [path("asks", Asks.as_view()), path("verifies", Verifies.as_view())]


class Quiet(WSGIRequestHandler):
    def log_message(self, *_):
        pass


if __name__ == "__main__":
    call_command("migrate", verbosity=0)
    User.objects.create(pk=1, username="alice")
    User.objects.create(pk=2, username="bob", is_active=False)
    server = make_server("127.0.0.1", 0, get_wsgi_application(), handler_class=Quiet)
    connections.close_all()
    forked = os.fork()
    if forked != 0:
        print(server.server_port, flush=True)
    server.serve_forever()
