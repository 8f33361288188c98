"""The life cycle of alarms (ISA-18.2, OPC UA Part 9): from the scan's conditions and people's answers to states.

In come the journal's condition events, in order, each exactly once, and what operators do; out go states, kept in the
database in the transaction of what caused them, the changes to be told, and the figures by which an alarm system is
judged. It may import `config`, `opcua_model`, `supervisor.link` and the rest of the server.
"""
