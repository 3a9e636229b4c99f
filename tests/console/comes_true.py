"""Waiting for what a page comes to."""


def comes_true(page, expression, arg=None):
    """Not by `wait_for_function`: it asks again from within the page, whose security policy forbids that."""
    for _ in range(300):
        if page.evaluate(expression, arg):
            return
        page.wait_for_timeout(50)
    raise AssertionError(f"never true: {expression}")
