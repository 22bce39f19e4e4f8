using System.Net;
using System.Net.Security;
using System.Security.Cryptography;
using ImapDirector.Network.Tls;
using ImapDirector.Tests.Shared;
using Xunit;

namespace ImapDirector.Storage.Tests.Sessions;

/// <summary>Who may speak to a node at all, and how (limits B3, L7).</summary>
public sealed class PeerTests
{
    private static readonly IPEndPoint Everywhere = new(IPAddress.Any, 0);

    private static Task<RunningNode> StartAsync(IPNetwork? trusted, bool requireTls = false, ServerCertificate? certificate = null, LogLines? lines = null) => RunningNode.StartAsync(
        options => options with { Imap = Everywhere, Lmtp = Everywhere, TrustedNetworks = trusted is { } network ? [network] : [], RequireTls = requireTls }, certificate, loggers: lines);

    [FactBesideLoopback]
    public async Task Who_is_not_trusted_does_not_even_get_a_greeting_of_IMAP()
    {
        foreach (var trusted in new IPNetwork?[] { null, OwnAddress.NetworkBeside })
        {
            var lines = new LogLines();
            await using var node = await StartAsync(trusted, lines: lines);
            await using (var stranger = await ImapClient.ConnectAsync(OwnAddress.At(node.Node.ImapEndPoint))) Assert.Null(await stranger.ReadLineAsync());
            await using (await node.LogInAsync())
            {
                // Loopback is trusted.
            }
            await node.Node.DrainAsync(TimeSpan.FromSeconds(20));
            Assert.Single(lines.All, static line => line.Contains("NotAllowed", StringComparison.Ordinal));
        }
    }

    [FactBesideLoopback]
    public async Task Who_is_not_trusted_does_not_even_get_a_greeting_of_LMTP()
    {
        foreach (var trusted in new IPNetwork?[] { null, OwnAddress.NetworkBeside })
        {
            var lines = new LogLines();
            await using var node = await StartAsync(trusted, lines: lines);
            await Assert.ThrowsAsync<IOException>(() => LmtpClient.ConnectAsync(OwnAddress.At(node.Node.LmtpEndPoint)));
            await using (await LmtpClient.BeginAsync(node.Node.LmtpEndPoint))
            {
                // Loopback is trusted.
            }
            await node.Node.DrainAsync(TimeSpan.FromSeconds(20));
            Assert.Single(lines.All, static line => line.Contains($"LMTP refused: {OwnAddress.Value}:", StringComparison.Ordinal));
        }
    }

    [FactBesideLoopback]
    public async Task Who_is_trusted_is_served()
    {
        await using var node = await StartAsync(OwnAddress.Network);
        await using var client = await ImapClient.ConnectAsync(OwnAddress.At(node.Node.ImapEndPoint));
        Assert.EndsWith(" AUTH=PLAIN] ImapDirector node ready.", await client.ReadLineAsync(), StringComparison.Ordinal);
        await client.OkAsync($"AUTHENTICATE PLAIN {RunningNode.Credentials(RunningNode.User)}");
        await using var lmtp = await LmtpClient.BeginAsync(OwnAddress.At(node.Node.LmtpEndPoint));
    }

    [FactBesideLoopback]
    public async Task Without_TLS_nobody_logs_in_from_another_machine_where_it_is_required()
    {
        await using var node = await StartAsync(OwnAddress.Network, requireTls: true);
        await using var client = await ImapClient.ConnectAsync(OwnAddress.At(node.Node.ImapEndPoint));
        Assert.EndsWith(" ENABLE LOGINDISABLED] ImapDirector node ready.", await client.ReadLineAsync(), StringComparison.Ordinal);
        Assert.StartsWith("NO [PRIVACYREQUIRED] ", (await client.CommandAsync($"AUTHENTICATE PLAIN {RunningNode.Credentials(RunningNode.User)}"))[^1], StringComparison.Ordinal);
        Assert.StartsWith("BAD ", (await client.CommandAsync("SELECT INBOX"))[^1], StringComparison.Ordinal);
        // On the machine itself nobody listens in.
        await using var local = await node.LogInAsync();
    }

    [FactBesideLoopback]
    public async Task Behind_STARTTLS_they_do()
    {
        var directory = Directory.CreateTempSubdirectory("node-cert-").FullName;
        try
        {
            using var certificate = ServerCertificate.LoadOrCreateSelfSigned(directory, ["localhost"]);
            await using var node = await StartAsync(OwnAddress.Network, requireTls: true, certificate);
            await using var client = await ImapClient.ConnectAsync(OwnAddress.At(node.Node.ImapEndPoint));
            Assert.EndsWith(" ENABLE STARTTLS LOGINDISABLED] ImapDirector node ready.", await client.ReadLineAsync(), StringComparison.Ordinal);
            Assert.EndsWith(" ENABLE STARTTLS LOGINDISABLED", Assert.Single(await client.OkAsync("CAPABILITY")), StringComparison.Ordinal);
            Assert.StartsWith("NO [PRIVACYREQUIRED] ", (await client.CommandAsync($"AUTHENTICATE PLAIN {RunningNode.Credentials(RunningNode.User)}"))[^1], StringComparison.Ordinal);
            await client.OkAsync("STARTTLS");
            await client.StartTlsAsync(async plain =>
            {
                var tls = new SslStream(plain);
                await tls.AuthenticateAsClientAsync(new SslClientAuthenticationOptions
                {
                    TargetHost = "localhost",
                    RemoteCertificateValidationCallback = (_, shown, _, _) => shown?.GetCertHashString(HashAlgorithmName.SHA256) == certificate.Fingerprint,
                });
                return tls;
            });
            Assert.EndsWith(" LOGINDISABLED AUTH=PLAIN", Assert.Single(await client.OkAsync("CAPABILITY")), StringComparison.Ordinal);
            await client.OkAsync($"AUTHENTICATE PLAIN {RunningNode.Credentials(RunningNode.User)}");
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }
}
