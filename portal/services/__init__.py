"""What pages and routes may ask for: the use cases, by name.

Each opens its own transaction and checks who asks; pages draw what comes back.
"""
