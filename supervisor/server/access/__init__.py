"""Who people are and what they may do: users, attempts to guess, the policy of roles.

Names, passwords and what somebody wants to do come in; roles or a refusal go out. It may import `config`,
`opcua_model.interface` and `errors`, and no database: people log in while that is being repaired.
"""
