using System.Globalization;
using System.Text;
using ImapDirector.Director.Authentication;
using ImapDirector.Director.Tests.Backends;
using ImapDirector.Tests.Shared;
using MailKit.Net.Imap;
using MailKit.Security;
using Xunit;

namespace ImapDirector.Director.Tests.Login;

/// <summary>Whoever ends TLS between a client and a director gets nowhere with a mechanism that is bound to the channel, though the client takes any certificate.</summary>
public sealed class ManInTheMiddleTests
{
    private const string User = "alice@example.com";
    private const string Password = "right-Pass1";
    private const string Plus = "SCRAM-SHA-256-PLUS";

    [FactIfInstalled("redis-server")]
    public async Task MailKit_binds_to_the_server_s_certificate_and_is_refused_through_another_s()
    {
        await using var node = FakeImapNode.Obliging();
        await using var director = await StartAsync(node);
        Assert.True(await MailKitAsync(director.Server.ImapsEndPoint!.Port));

        await using var between = new ManInTheMiddle(director.Server.ImapsEndPoint!, isImplicitTls: true);
        Assert.False(await MailKitAsync(between.Port));
        AssertCaught(director, node, between, "p=tls-server-end-point,");
    }

    [FactIfInstalled("redis-server", "gsasl")]
    public async Task Gsasl_binds_to_the_connection_s_keys_and_is_refused_through_another_one()
    {
        await using var node = FakeImapNode.Obliging();
        await using var director = await StartAsync(node);
        Assert.True(await GsaslAsync(director.Server.ImapEndPoint!.Port));

        await using var between = new ManInTheMiddle(director.Server.ImapEndPoint!, isImplicitTls: false);
        Assert.False(await GsaslAsync(between.Port));
        AssertCaught(director, node, between, "p=tls-exporter,");
    }

    [FactIfInstalled("redis-server", "gsasl")]
    public async Task Whoever_has_the_password_told_without_binding_is_let_in_through_it()
    {
        // What the binding is for: the same proxy, but a mechanism without.
        await using var node = FakeImapNode.Obliging();
        await using var director = await StartAsync(node, "SCRAM-SHA-256");
        await using var between = new ManInTheMiddle(director.Server.ImapEndPoint!, isImplicitTls: false);
        Assert.True(await MailPrograms.RunAsync("gsasl", [.. Gsasl(between.Port, "SCRAM-SHA-256"), "--no-cb"]));
        Assert.Contains("n,", between.Heard, StringComparison.Ordinal);
        Assert.Single(node.Sessions);
    }

    private static void AssertCaught(RunningDirector director, FakeImapNode node, ManInTheMiddle between, string binding)
    {
        // One login came to the node, the one without anybody in between.
        Assert.Single(node.Sessions);
        Assert.Contains(binding, between.Heard, StringComparison.Ordinal);
        Assert.DoesNotContain(Password, between.Heard, StringComparison.Ordinal);
        Assert.Single(director.Lines, line => line.StartsWith("3402 ", StringComparison.Ordinal) && line.Contains("refused: other_channel,", StringComparison.Ordinal));
    }

    private static async Task<RunningDirector> StartAsync(FakeImapNode node, params string[] without)
    {
        var director = await RunningDirector.StartAsync(node.Backend, options => options with
        {
            Authentication = options.Authentication with { Mechanisms = without.Length > 0 ? ["PLAIN", .. without] : ["PLAIN", "SCRAM-SHA-256", Plus] },
        });
        var verifier = await UserAccounts.HashAsync(PasswordScheme.ScramSha256, Encoding.ASCII.GetBytes(Password), CancellationToken.None);
        await director.Redis.Database.HashSetAsync($"imapdirector:{{{User}}}:account", "password", verifier);
        return director;
    }

    private static string[] Gsasl(int port, string mechanism) => MailPrograms.Gsasl(port.ToString(CultureInfo.InvariantCulture), mechanism, User, new ShownByClient(Password), needsTls: true);

    private static Task<bool> GsaslAsync(int port) => MailPrograms.RunAsync("gsasl", Gsasl(port, Plus));

    private static async Task<bool> MailKitAsync(int port)
    {
        using var client = new ImapClient { ServerCertificateValidationCallback = (_, certificate, _, _) => certificate is not null };
        await client.ConnectAsync("127.0.0.1", port, SecureSocketOptions.SslOnConnect);
        try
        {
            await client.AuthenticateAsync(new SaslMechanismScramSha256Plus(User, Password));
            return client.IsAuthenticated;
        }
        catch (AuthenticationException)
        {
            return false;
        }
    }
}
