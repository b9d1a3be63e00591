pytest_plugins = [
    "tests.fixtures.browser",
    "tests.fixtures.database",
    "tests.fixtures.label_studio",
    "tests.fixtures.transformer",
]
