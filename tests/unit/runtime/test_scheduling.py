import subprocess
import sys

import pytest

PROGRAM = """
import gc, os, threading
from laurel_server.runtime.scheduling import settle_memory, share_the_processor_calmly
share_the_processor_calmly()
policies = [os.sched_getscheduler(0)]
thread = threading.Thread(target=lambda: policies.append(os.sched_getscheduler(0)))
thread.start()
thread.join()
settle_memory()
print(policies == [os.SCHED_BATCH] * 2, gc.get_freeze_count() > 0, gc.get_threshold()[0])
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the policy is one of Linux")
def test_a_process_and_its_threads_are_calm_and_its_memory_settled() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    assert done.stdout == "True True 50000\n"
