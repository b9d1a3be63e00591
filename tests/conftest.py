import os

pytest_plugins = [
    "tests.fixtures.browser",
    "tests.fixtures.database",
    "tests.fixtures.label_studio",
    "tests.fixtures.transformer",
]

# Tests talk to this machine only, without the proxy of whoever runs them; those that are about
# proxies set their own.
for _name in [name for name in os.environ if name.lower().endswith("_proxy")]:
    del os.environ[_name]
