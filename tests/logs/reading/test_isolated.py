"""A function in a process of its own: its result, its errors, and its death, which harms nothing here."""

import ctypes
import multiprocessing
import os
import threading
import time

import polars as pl
import pytest

from causalrec.answers import InputError
from causalrec.logs.reading.isolated import Bounds, Died, isolated

BOUNDS = Bounds(2 * 1024**3, 30)


def whoami(*given):
    return os.getpid(), given


def abort():
    os.abort()


def crash():
    ctypes.string_at(0)


def exit_quietly():
    os._exit(0)


def panic():
    # Refused as a time zone by code that cannot say so.
    raise pl.exceptions.PanicException("it broke")


def take(size):
    return len(bytearray(size))


def recurse():
    return recurse()


def sleep():
    time.sleep(60)


def refuse():
    raise InputError("no such thing")


def fail():
    raise KeyError("a")


def fail_unpicklable():
    raise type("Local", (Exception,), {})("x")


def print_much():
    print("x" * 100_000)
    os.write(1, b"not an answer")
    return 7


def test_one_process_serves_all_calls_and_is_not_this_one():
    first, given = isolated(whoami, 1, "b", bounds=BOUNDS)
    second, _ = isolated(whoami, bounds=BOUNDS)
    assert given == (1, "b")
    assert first == second != os.getpid()


@pytest.mark.parametrize(
    ("deadly", "says"),
    [
        (abort, "signal SIGABRT"),
        (crash, "signal SIGSEGV"),
        (exit_quietly, "exit status 0"),
        (panic, "it broke"),
        (recurse, "nested too deeply"),
    ],
)
def test_a_death_is_said_and_the_next_call_is_answered(deadly, says):
    with pytest.raises(Died, match=says) as death:
        isolated(deadly, bounds=BOUNDS)
    assert death.value.certain
    assert isolated(whoami, 5, bounds=BOUNDS)[1] == (5,)


def test_memory_and_time_are_bounded():
    with pytest.raises(Died, match="more memory than it may"):
        isolated(take, 3 * 1024**3, bounds=BOUNDS)
    assert isolated(take, 1024**2, bounds=BOUNDS) == 1024**2
    with pytest.raises(Died, match="did not end within 1 seconds") as slow:
        isolated(sleep, bounds=Bounds(BOUNDS.memory, 1))
    assert not slow.value.certain
    assert isolated(whoami, bounds=BOUNDS)[1] == ()


def test_errors_are_those_of_the_function():
    with pytest.raises(InputError, match="no such thing"):
        isolated(refuse, bounds=BOUNDS)
    with pytest.raises(KeyError, match="a"):
        isolated(fail, bounds=BOUNDS)
    with pytest.raises(RuntimeError, match=r"in a process of its own failed:(.|\n)*Local"):
        isolated(fail_unpicklable, bounds=BOUNDS)


def test_what_is_printed_is_no_answer():
    assert isolated(print_much, bounds=BOUNDS) == 7


def test_threads_share_the_process_and_get_their_own_answers():
    found = {}

    def ask(number):
        found[number] = isolated(whoami, number, bounds=BOUNDS)[1]

    threads = [threading.Thread(target=ask, args=(k,)) for k in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {k: (k,) for k in range(8)}


def ask_twice(queue):
    queue.put([isolated(whoami, k, bounds=BOUNDS) for k in range(2)])


def test_a_forked_process_starts_its_own_and_leaves_its_parents_alone():
    mine, _ = isolated(whoami, bounds=BOUNDS)
    context = multiprocessing.get_context("fork")
    queue = context.SimpleQueue()
    forked = context.Process(target=ask_twice, args=(queue,))
    forked.start()
    (first, _), (second, given) = queue.get()
    forked.join(20)
    assert first == second != mine
    assert given == (1,)
    assert isolated(whoami, bounds=BOUNDS)[0] == mine
