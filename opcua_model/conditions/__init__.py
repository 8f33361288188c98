"""Alarms as OPC UA conditions (Part 9): their nodes, their methods, their events, and the refresh of a client's list.

In come the tool's alarms (`config.alarm_list`) and the state of each as the daemon keeps it; out go nodes of the
standard's types, and events. What people do with an alarm is the daemon's to decide: methods are handed to it. It may
import `eventing`, `space`, `tree` and what those import.
"""
