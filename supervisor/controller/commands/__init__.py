"""What people and the server ask: commands carried out or refused with a reason, questions answered, runs begun, ended.

Messages of the link come in; replies, journal records and operations of the scan go out. Imports every sibling room
below it; `controller` puts it all together.
"""
