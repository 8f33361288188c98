"""Sessions: who gets in, and that nobody takes over what belongs to somebody else."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from struct import pack
from typing import Any

import anyio
import pytest

from opcua_model.certificates import make_identity
from opcua_model.client import CLIENT_URI, ToolClient, UnreachableError, _secure, _throwaway, connect
from opcua_model.server import EndpointError, UaServer
from opcua_model.settings import Limits, Settings
from opcua_model.stack import Client, Ids, crypto, errors, policies, ua
from tests.opcua_model.fake_daemon import PASSWORDS, FakeDaemon, furnace, serving, until

pytestmark = pytest.mark.anyio


def as_user(server: UaServer, user: str) -> Any:
    return connect(server.endpoint, user, PASSWORDS.get(user, ""))


@asynccontextmanager
async def channel(server: UaServer, identity: Any = None, policy: Any = None) -> AsyncGenerator[Any]:
    """A secure channel without a session, of the usual client application or of another one, and of any policy."""
    client = Client(server.endpoint, timeout=5)
    client.application_uri = CLIENT_URI
    own = identity or await anyio.to_thread.run_sync(_throwaway)
    await _secure(client, own)
    if policy is not None:
        peer = crypto.x509_from_der(client.security_policy.peer_certificate)
        signed = ua.MessageSecurityMode.SignAndEncrypt
        client.security_policy = policy(peer, own.certificate, own.key, signed)
        client.uaclient.set_security(client.security_policy)
    await client.connect_socket()
    await client.send_hello()
    await client.open_secure_channel()
    try:
        yield client
    finally:
        client.disconnect_socket()
        await anyio.sleep(0.01)


def stranger() -> Any:
    return make_identity(CLIENT_URI, "stranger", (), days=1, server=False)


async def test_tokens_cannot_be_guessed(server: UaServer) -> None:
    async with as_user(server, "erika"), as_user(server, "olga"):
        tokens = [session.auth_token.Identifier for session in server._internal.sessions]
    assert len(tokens) == 2
    assert all(isinstance(token, bytes) and len(token) == 32 for token in tokens)
    assert len({token[:8] for token in tokens}) == 2


async def test_a_stolen_token_is_worth_nothing_on_another_channel(server: UaServer, daemon: FakeDaemon) -> None:
    async with as_user(server, "erika") as victim, as_user(server, "otto") as thief:
        thief._client.uaclient.protocol.authentication_token = victim._client.uaclient.session.authentication_token
        with pytest.raises(Exception, match="BadSessionIdInvalid"):
            await thief.call("Recipes", "AddRecipe", "{}")
        assert daemon.calls == []
        assert await victim.read("State/Mode") == "Ready"
        thief._client.uaclient.protocol.authentication_token = thief._client.uaclient.session.authentication_token


async def test_another_application_cannot_activate_a_stolen_session(server: UaServer) -> None:
    other = await anyio.to_thread.run_sync(stranger)
    async with as_user(server, "erika") as victim, channel(server, other) as thief:
        session = server._internal.sessions[0]
        thief.uaclient.session.restore_authentication_token(session.auth_token)
        thief._server_nonce = session.nonce
        with pytest.raises(errors.BadSessionIdInvalid):
            await thief.activate_session("erika", PASSWORDS["erika"])
        assert await victim.read("State/Mode") == "Ready"


async def test_the_same_application_comes_back_as_the_same_user_only(server: UaServer) -> None:
    """A client whose connection broke goes on with its session, and the broken channel loses it."""
    async with as_user(server, "erika") as tool, channel(server) as again:
        session = server._internal.sessions[0]
        again._policy_ids = tool._client._policy_ids
        for user in ("olga", "erika"):
            again.uaclient.session.restore_authentication_token(session.auth_token)
            again._server_nonce = session.nonce
            if user == "olga":
                with pytest.raises(errors.BadIdentityChangeNotSupported):
                    await again.activate_session(user, PASSWORDS[user])
            else:
                await again.activate_session(user, PASSWORDS[user])
        assert await again.get_node(tool.node("State/Mode")).read_value() == "Ready"
        with pytest.raises(Exception, match="BadSessionIdInvalid"):
            await tool.read("State/Mode")
        await again.uaclient.close_session(True)
    assert server._internal.sessions == []


async def test_nobody_deletes_the_subscriptions_of_others(server: UaServer) -> None:
    seen: list[Any] = []
    async with as_user(server, "erika") as tool, as_user(server, "otto") as other:
        path = "Equipment/heater/zone1.temperature_c"
        async with tool.subscribe([path], 50, lambda *news: seen.append(news)):
            await until(lambda: seen)
            (number,) = server._internal.subscription_service.subscriptions
            client = other._client.uaclient
            (status,) = await client.delete_subscriptions([number])
            assert status.name == "BadSubscriptionIdInvalid"
            params = ua.ModifySubscriptionParameters(SubscriptionId=number, RequestedPublishingInterval=1e6)
            with pytest.raises(errors.BadSubscriptionIdInvalid):
                await client.modify_subscription(params)
            (status,) = await client.session.set_publishing_mode(
                ua.SetPublishingModeParameters(PublishingEnabled=False, SubscriptionIds=[number])
            )
            assert status.name == "BadSubscriptionIdInvalid"
            with pytest.raises(errors.BadSubscriptionIdInvalid):
                await client.delete_monitored_items(
                    ua.DeleteMonitoredItemsParameters(SubscriptionId=number, MonitoredItemIds=[112])
                )
            assert number in server._internal.subscription_service.subscriptions


async def test_a_subscription_moves_only_between_sessions_of_one_user(server: UaServer) -> None:
    seen: list[Any] = []
    async with as_user(server, "erika") as first, as_user(server, "erika") as second, as_user(server, "amir") as other:
        path = "Equipment/heater/zone1.temperature_c"
        async with first.subscribe([path], 50, lambda *news: seen.append(news)):
            await until(lambda: seen)
            (number,) = server._internal.subscription_service.subscriptions
            params = ua.TransferSubscriptionsParameters(SubscriptionIds=[number], SendInitialValues=True)
            (refused,) = await other._client.uaclient.transfer_subscriptions(params)
            assert refused.StatusCode.name == "BadUserAccessDenied"
            moved: list[Any] = []

            async def take(result: Any) -> None:
                moved.append(result)

            second._client.uaclient.session._subscription_callbacks[number] = take
            (done,) = await second._client.uaclient.transfer_subscriptions(params)
            assert done.StatusCode.is_good()
            second._client.uaclient.session.ensure_publish_loop()
            await until(lambda: any(one.NotificationMessage.NotificationData for one in moved))
            second._client.uaclient.session._subscription_callbacks.clear()


async def test_a_wrong_password_or_user_gets_nobody_in(server: UaServer, daemon: FakeDaemon) -> None:
    for user, password in (("erika", "wrong"), ("nobody", "quartz-92"), ("admin", "admin"), ("erika", "")):
        with pytest.raises(UnreachableError) as refusal:
            async with connect(server.endpoint, user, password):
                pass
        assert refusal.value.status in {"BadUserAccessDenied", "BadIdentityTokenInvalid"}
    assert daemon.sessions == {}
    await until(lambda: not server._internal.sessions)


async def test_a_session_that_nobody_activated_does_nothing(server: UaServer) -> None:
    async with channel(server) as client:
        await client.create_session()
        with pytest.raises(errors.BadSessionNotActivated):
            await client.get_node(ua.NodeId(Ids.Server_ServerStatus_State)).read_value()
        with pytest.raises(errors.BadTooManySessions):
            await client.create_session()
    await until(lambda: not server._internal.sessions)


async def test_a_channel_without_security_is_for_discovery_only(server: UaServer) -> None:
    client = Client(server.endpoint, timeout=5)
    endpoints = await client.connect_and_get_server_endpoints()
    assert {(one.SecurityMode.name, one.SecurityPolicyUri.rpartition("#")[2]) for one in endpoints} == {
        (mode, policy)
        for mode in ("Sign", "SignAndEncrypt")
        for policy in ("Basic256Sha256", "Aes128_Sha256_RsaOaep", "Aes256_Sha256_RsaPss")
    }
    with pytest.raises(errors.BadSecurityModeRejected):
        await client.connect()
    assert server._internal.sessions == []


async def test_anonymous_sessions_look_and_do_not_touch(server: UaServer, daemon: FakeDaemon) -> None:
    seen: list[Any] = []
    setpoint = "Equipment/heater/zone1.setpoint_c"
    async with connect(server.endpoint) as tool:
        assert await tool.read("State/Mode") == "Ready"
        assert "Recipes" in await tool.children()
        async with tool.subscribe(["State/Mode", setpoint], 50, lambda *news: seen.append(news)):
            await until(lambda: len(seen) == 2)
        with pytest.raises(Exception, match="anonymous sessions read, browse and subscribe"):
            await tool.call("State", "SafeShutdown")
        with pytest.raises(Exception, match="BadUserAccessDenied"):
            await tool.write(setpoint, 500.0)
    assert (daemon.calls, daemon.writes) == ([], [])


async def test_nobody_changes_the_address_space_from_outside(server: UaServer) -> None:
    async with as_user(server, "erika") as tool:
        with pytest.raises(errors.BadServiceUnsupported):
            await tool._client.delete_nodes([tool._client.get_node(tool.node("Recipes"))])
        with pytest.raises(errors.BadServiceUnsupported):
            await tool._client.nodes.objects.add_folder(1, "mine")


@pytest.mark.parametrize("mode", ["Sign", "SignAndEncrypt"])
async def test_both_modes_let_a_user_in(server: UaServer, mode: str) -> None:
    """On the signed channel the password is encrypted by itself."""
    identity = await anyio.to_thread.run_sync(_throwaway)
    client = Client(server.endpoint, timeout=5)
    client.application_uri, client.session_timeout = CLIENT_URI, 60_000
    (offered, *_) = await client.connect_and_get_server_endpoints()
    from cryptography import x509

    peer = x509.load_der_x509_certificate(offered.ServerCertificate)
    wanted = getattr(ua.MessageSecurityMode, mode)
    client.security_policy = policies.SecurityPolicyBasic256Sha256(peer, identity.certificate, identity.key, wanted)
    client.uaclient.set_security(client.security_policy)
    client.set_user("erika")
    client.set_password(PASSWORDS["erika"])
    await client.connect()
    tool = await ToolClient.of(client)
    assert await tool.call("State", "CheckInterlocks") == [True, "[]"]
    await client.disconnect()


@pytest.mark.parametrize("proof", [b"", b"n" * 32, b"short"])
async def test_a_recorded_password_cannot_be_played_again(server: UaServer, proof: bytes) -> None:
    """An encrypted password carries the server's last nonce; one with another nonce is refused."""
    async with channel(server) as client:
        await client.create_session()
        secret = PASSWORDS["erika"].encode() + proof
        peer = crypto.x509_from_der(client.security_policy.peer_certificate).public_key()
        token = ua.UserNameIdentityToken(PolicyId="username", UserName="erika")
        token.EncryptionAlgorithm = "http://www.w3.org/2001/04/xmlenc#rsa-oaep"
        token.Password = crypto.encrypt_rsa_oaep(peer, pack("<I", len(secret)) + secret)
        params = ua.ActivateSessionParameters(UserIdentityToken=token)
        challenge = client.security_policy.peer_certificate + client._server_nonce
        params.ClientSignature.Algorithm = client.security_policy.AsymmetricSignatureURI
        params.ClientSignature.Signature = client.security_policy.asymmetric_cryptography.signature(challenge)
        with pytest.raises(errors.BadIdentityTokenInvalid):
            await client.uaclient.activate_session(params)


OAEP = "http://www.w3.org/2001/04/xmlenc#rsa-oaep"
OAEP_SHA256 = "http://opcfoundation.org/UA/security/rsa-oaep-sha2-256"
SCHEMES: dict[str, Any] = {OAEP: crypto.encrypt_rsa_oaep, OAEP_SHA256: crypto.encrypt_rsa_oaep_sha256}
OWN = {
    "SecurityPolicyBasic256Sha256": OAEP,
    "SecurityPolicyAes128Sha256RsaOaep": OAEP,
    "SecurityPolicyAes256Sha256RsaPss": OAEP_SHA256,
}


@pytest.mark.parametrize("name", OWN)
@pytest.mark.parametrize("scheme", SCHEMES)
async def test_a_password_is_encrypted_by_the_policy_s_own_scheme(server: UaServer, name: str, scheme: str) -> None:
    """However strong another one is: what the policy does not name is refused."""
    async with channel(server, policy=getattr(policies, name)) as client:
        await client.create_session()
        secret = PASSWORDS["erika"].encode() + client._server_nonce
        peer = crypto.x509_from_der(client.security_policy.peer_certificate).public_key()
        token = ua.UserNameIdentityToken(PolicyId="username", UserName="erika", EncryptionAlgorithm=scheme)
        token.Password = SCHEMES[scheme](peer, pack("<I", len(secret)) + secret)
        params = ua.ActivateSessionParameters(UserIdentityToken=token)
        challenge = client.security_policy.peer_certificate + client._server_nonce
        params.ClientSignature.Algorithm = client.security_policy.AsymmetricSignatureURI
        params.ClientSignature.Signature = client.security_policy.asymmetric_cryptography.signature(challenge)
        if OWN[name] == scheme:
            await client.uaclient.activate_session(params)
        else:
            with pytest.raises(errors.BadIdentityTokenRejected):
                await client.uaclient.activate_session(params)


async def test_a_token_is_of_a_policy_that_its_endpoint_has_offered(server: UaServer, daemon: FakeDaemon) -> None:
    """The right password under a policy of another kind, of no kind or of another server gets nobody in."""

    def tokens(policy_id: str | None) -> list[Any]:
        return [
            ua.UserNameIdentityToken(PolicyId=policy_id, UserName="erika", Password=PASSWORDS["erika"].encode()),
            ua.X509IdentityToken(PolicyId=policy_id, CertificateData=b"0"),
            ua.AnonymousIdentityToken(PolicyId=policy_id),
        ]

    offered = {"username", "certificate", "anonymous"}
    advertised = [one.UserIdentityTokens for one in server._internal.endpoints]
    assert {policy.PolicyId for policies in advertised for policy in policies} == offered
    right = {ua.UserNameIdentityToken: "username", ua.X509IdentityToken: "certificate"}
    right[ua.AnonymousIdentityToken] = "anonymous"
    for policy_id in ("", None, "kerberos", *sorted(offered)):
        async with channel(server) as client:
            await client.create_session()
            for token in tokens(policy_id):
                if right[type(token)] != policy_id:
                    with pytest.raises(errors.BadIdentityTokenInvalid):
                        await activate(client, token)
            with pytest.raises(errors.BadIdentityTokenRejected):
                await activate(client, ua.IssuedIdentityToken(PolicyId="issued", TokenData=b"t"))
            assert daemon.sessions == {}
            if policy_id == "username":
                await activate(client, tokens("username")[0])
                assert [one.user for one in daemon.sessions.values()] == ["erika"]
                await client.uaclient.close_session(True)


async def activate(client: Any, token: Any) -> Any:
    params = ua.ActivateSessionParameters(UserIdentityToken=token)
    params.ClientSignature.Algorithm = client.security_policy.AsymmetricSignatureURI
    challenge = (client.security_policy.peer_certificate or b"") + client._server_nonce
    params.ClientSignature.Signature = client.security_policy.asymmetric_cryptography.signature(challenge)
    return await client.uaclient.activate_session(params)


async def test_a_signature_names_the_scheme_of_its_channel(server: UaServer) -> None:
    async with channel(server) as client:
        await client.create_session()
        params = ua.ActivateSessionParameters(UserIdentityToken=ua.AnonymousIdentityToken(PolicyId="anonymous"))
        challenge = client.security_policy.peer_certificate + client._server_nonce
        params.ClientSignature.Signature = client.security_policy.asymmetric_cryptography.signature(challenge)
        params.ClientSignature.Algorithm = "http://opcfoundation.org/UA/security/rsa-pss-sha2-256"
        with pytest.raises(errors.BadApplicationSignatureInvalid):
            await client.uaclient.activate_session(params)


async def test_who_cannot_sign_with_the_certificate_s_key_is_not_let_in(server: UaServer) -> None:
    async with channel(server) as client:
        await client.create_session()
        params = ua.ActivateSessionParameters(UserIdentityToken=ua.AnonymousIdentityToken(PolicyId="anonymous"))
        params.ClientSignature.Algorithm = client.security_policy.AsymmetricSignatureURI
        params.ClientSignature.Signature = b"\x00" * 256
        with pytest.raises(errors.BadApplicationSignatureInvalid):
            await client.uaclient.activate_session(params)


async def test_the_daemon_hears_of_every_session_once(server: UaServer, daemon: FakeDaemon) -> None:
    async with as_user(server, "erika"), connect(server.endpoint):
        assert sorted(caller.user for caller in daemon.sessions.values()) == ["", "erika"]
        await until(lambda: server.sessions == 2)
    assert daemon.sessions == {}
    assert server.sessions == 0


async def test_a_client_that_vanishes_is_forgotten(server: UaServer, daemon: FakeDaemon) -> None:
    async with channel(server) as client:
        await client.create_session()
        await client.activate_session("olga", PASSWORDS["olga"])
        assert len(daemon.sessions) == 1
        client.disconnect_socket()
        await until(lambda: not daemon.sessions)


async def test_settings_close_what_they_say(tmp_path: Path) -> None:
    """Anonymous sessions off, few sessions, a folder of trusted applications: each is enforced."""
    daemon = FakeDaemon(furnace())
    trusted = tmp_path / "pki" / "trusted"
    own = await anyio.to_thread.run_sync(_throwaway)
    await anyio.Path(trusted).mkdir(parents=True)
    await anyio.Path(trusted / "client.der").write_bytes(own.der)
    other = await anyio.to_thread.run_sync(stranger)
    limits = replace(Limits(), sessions=1)
    async with serving(daemon, tmp_path, anonymous="never", clients="trusted", limits=limits) as server:
        with pytest.raises(UnreachableError):
            async with connect(server.endpoint):
                pass
        await until(lambda: not server._internal.sessions)
        with pytest.raises(Exception):  # noqa: B017 - the channel is closed, in whatever words
            async with channel(server, other):
                pass
        async with as_user(server, "erika"):
            with pytest.raises(UnreachableError) as refusal:
                async with as_user(server, "amir"):
                    pass
            assert refusal.value.status == "BadTooManySessions"


async def test_an_open_endpoint_is_anonymous_and_only_when_asked_for(tmp_path: Path) -> None:
    daemon = FakeDaemon(furnace())
    async with serving(daemon, tmp_path, plain_loopback=True) as server:
        client = Client(server.endpoint, timeout=5)
        client.session_timeout = 60_000
        await client.connect()
        tool = await ToolClient.of(client)
        assert await tool.read("State/Mode") == "Ready"
        # AccessRestrictions of what moves the tool: nothing but a signed channel reaches it, whatever the role.
        with pytest.raises(Exception, match="BadSecurityModeInsufficient"):
            await tool.call("State", "SafeShutdown")
        method = client.get_node(tool.node("State/SafeShutdown"))
        for attribute, said in (("Executable", "BadSecurityModeInsufficient"), ("AccessRestrictions", "Good")):
            data = await method.read_attribute(getattr(ua.AttributeIds, attribute), raise_on_bad_status=False)
            assert data.StatusCode.name == said
        assert data.Value.Value == 1
        assert daemon.calls == []
        await client.disconnect()
        named = Client(server.endpoint, timeout=5)
        named.set_user("erika")
        named.set_password(PASSWORDS["erika"])
        with pytest.raises(errors.UaError, match="BadIdentityTokenRejected"):
            await named.connect()
        description = next(
            one for one in server._internal.endpoints if one.SecurityMode == ua.MessageSecurityMode.None_
        )
        assert [token.TokenType.name for token in description.UserIdentityTokens] == ["Anonymous"]


async def test_contradictory_settings_are_refused(tmp_path: Path) -> None:
    settings = Settings(folder=tmp_path, plain_loopback=True, anonymous="never")
    with pytest.raises(EndpointError, match="leave one out"):
        async with UaServer(FakeDaemon(furnace()), settings):
            pass
