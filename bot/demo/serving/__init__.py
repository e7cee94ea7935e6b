"""A model server for the demo: it speaks KServe's protocols, follows the champion, and logs what it was asked.

Run as `python -m bot.demo.serving` in a process of its own, which `bot/demo/serving/process.py` starts and ends.
"""
