"""StringWorkers: a job on many strings, in processes that strings may kill.

`pebble.ProcessPool`, tried instead, is as quick for 20,000 strings in chunks, but loses
the chunks of strings that kill or hang (126 other strings of 1,000, for one of each),
and its limit, by the clock alone, condemned 8 of 8 strings of 1.2 s at a limit of 2 s
on a busy machine, where one of processor time condemned none. Its processes fork from
one in which TensorFlow's threads run, or run the user's script again, which fails
without a guard of its main part and else imports TensorFlow (12 s and 700 MB, where
these take 2 s and 150 MB).
"""

from __future__ import annotations

import os
import queue
import threading
import weakref
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import Future
from typing import Any

from molecule_rnn.scoring.worker_job import Job, News, tell_on_stderr
from molecule_rnn.scoring.worker_process import StringProcess

# Strings that a process is given at a time: few enough to share the work evenly, and
# enough to be worth the conversation.
_MAX_CHUNK = 64
_CHUNKS_PER_PROCESS = 4

_Work = tuple[Future[list[Any]], Sequence[str], Collection[int]]


class StringWorkers:
    """Processes that do a job on strings.

    A process that crashes, takes more than `time_limit` seconds of processor time on
    one string, or waits thrice that for anything but a processor, is replaced, and what
    it has begun ends with it. The string or, where the job
    was in a stage, this stage of it, is tried once more in a fresh process; if that
    dies too, the string's result is None or its stage is skipped. All other results are
    as if nothing had happened.
    """

    def __init__(
        self,
        job: str,
        arguments: Mapping[str, Any],
        stages: Sequence[str],
        num_processes: int,
        time_limit: float = 10.0,
        tell: Callable[[str], None] = tell_on_stderr,
        most_in_a_row: int = 10,
    ):
        """Starts the processes.

        Args:
          job: `module:factory`, which makes a `Job` of the arguments.
          arguments: of the factory; JSON-serializable.
          stages: of the job.
          num_processes: how many, 1 or more.
          time_limit: seconds of processor time.
          tell: called with each complaint of the job once, and of strings that end
            processes the 1st, 10th, 100th and so on.
          most_in_a_row: strings on which a stage may end processes, none going well in
            between, before the futures raise a `UserError` that names it.
        """
        news = News(tell)
        self._processes = [
            StringProcess(job, arguments, stages, time_limit, news, most_in_a_row)
            for _ in range(num_processes)
        ]
        self._queue: queue.SimpleQueue[_Work | None] = queue.SimpleQueue()
        threads = [
            # Daemons, so that a program that ends does not wait for what it gave up.
            threading.Thread(target=_serve, args=(self._queue, process), daemon=True)
            for process in self._processes
        ]
        for thread in threads:
            thread.start()
        self._end = weakref.finalize(
            self, _end, os.getpid(), self._queue, self._processes, threads, news
        )

    @property
    def process_ids(self) -> Sequence[int]:
        """Of the processes that now run."""
        return [process.pid for process in self._processes]

    def start(
        self, texts: Sequence[str], skipped: Collection[int] = ()
    ) -> list[Future[list[Any]]]:
        """Begins the job on these strings and returns at once.

        Args:
          texts: the strings.
          skipped: stages to leave out, by their place.

        Returns:
          futures; their results, one after another, are those of the strings.

        Raises:
          RuntimeError: the workers are closed.
        """
        if not self._end.alive:
            raise RuntimeError("closed")
        share = -(-len(texts) // (_CHUNKS_PER_PROCESS * len(self._processes)))
        size = max(1, min(share, _MAX_CHUNK))
        futures = []
        for begin in range(0, len(texts), size):
            future: Future[list[Any]] = Future()
            futures.append(future)
            self._queue.put((future, texts[begin : begin + size], skipped))
        return futures

    def map(self, texts: Sequence[str], skipped: Collection[int] = ()) -> list[Any]:
        """The results of the job on these strings, without the skipped stages."""
        futures = self.start(texts, skipped)
        return [result for future in futures for result in future.result()]

    def close(self) -> None:
        """Ends the processes, whatever they are doing; what was begun is cancelled."""
        self._end()


class InProcess:
    """As `StringWorkers`, but it does the job in this process and without a limit."""

    process_ids = ()

    def __init__(self, job: Job, tell: Callable[[str], None] = tell_on_stderr):
        """Takes the job, and what is called with its complaints."""
        self._job = job
        self._news = News(tell)
        self._end = weakref.finalize(self, self._news.conclude)

    def start(
        self, texts: Sequence[str], skipped: Collection[int] = ()
    ) -> list[Future[list[Any]]]:
        """Does the job; the results are there when it returns."""
        future: Future[list[Any]] = Future()
        future.set_result(
            [self._job(text, skipped, lambda stage: None) for text in texts]
        )
        self._news.complain(self._job.complaints)
        self._job.complaints.clear()
        num_done = sum(result is not None for result in future.result())
        failures = self._job.failures.copy()
        self._job.failures.clear()
        self._news.count(failures, num_done)
        return [future]

    def map(self, texts: Sequence[str], skipped: Collection[int] = ()) -> list[Any]:
        """The results of the job on these strings, without the skipped stages."""
        return self.start(texts, skipped)[0].result()

    def close(self) -> None:
        """Tells what failed; has nothing to end."""
        self._end()


def _serve(work: queue.SimpleQueue[_Work | None], process: StringProcess) -> None:
    """Has a process do what is in the queue, until there is None in it."""
    while (item := work.get()) is not None:
        future, texts, skipped = item
        try:
            future.set_result(process.work(texts, skipped))
        except Exception as error:  # for whoever waits for the result
            future.set_exception(error)
    process.release()


def _end(
    owner: int,
    work: queue.SimpleQueue[_Work | None],
    processes: Sequence[StringProcess],
    threads: Sequence[threading.Thread],
    news: News,
) -> None:
    if os.getpid() != owner:  # a fork of it ends, whose processes they are not
        return
    while True:
        try:
            item = work.get_nowait()
        except queue.Empty:
            break
        if item is not None:
            item[0].cancel()
    for _ in threads:
        work.put(None)
    for process in processes:
        process.close()
    for thread in threads:
        thread.join()
    news.conclude()
