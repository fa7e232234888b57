"""The only user of doit: TaskSpecs → doit tasks; picks the real engines; parallelism; what became of each task.

toolbox.py     the real engines
run.py         a workspace, and one run in it: what commands use
doit_tasks.py  TaskSpec → doit task; the doit runner
dodo.py        the tasks for plain `doit`
"""
