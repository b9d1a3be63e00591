pytest_plugins = ["tests.fixtures.database", "tests.fixtures.label_studio"]
