"""The memory an object holds: all that it reaches, each once, and nothing outside."""

import sys

from wattledger.tools.memory import size_of


class Node:
    def __init__(self, content):
        self.content = content

    def method(self):
        return self.content


def test_each_thing_counts_once():
    data = bytes(5000)
    one, two = Node(data), Node([data, data])
    alone = size_of(Node(None)) - size_of(None)
    assert size_of(one) - alone == sys.getsizeof(data)
    assert size_of(two) - alone == sys.getsizeof(data) + sys.getsizeof([1, 2])


def test_what_is_outside_does_not_count():
    world = Node(bytes(100_000))
    inner = Node([world, bytes(700)])
    assert size_of(inner) > 100_000
    assert 700 < size_of(inner, (world,)) < 3000


def test_a_bound_method_is_its_object_and_no_code():
    held = Node(bytes(9000))
    assert 9000 < size_of(held.method) < 11_000


def test_growth_is_seen_to_the_byte():
    node = Node({})
    before = size_of(node)
    node.content["key"] = kept = bytes(300)
    grown = size_of(node) - before
    assert grown >= sys.getsizeof(kept)
    del node.content["key"]
    assert size_of(node) < before + grown
