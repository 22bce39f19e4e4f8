using System.Net;
using System.Net.Sockets;
using System.Text;
using ImapDirector.Director.Authentication;
using ImapDirector.Director.Backends;
using ImapDirector.Director.Directory;
using ImapDirector.Director.Login;
using ImapDirector.Network;
using ImapDirector.Network.Tls;
using Microsoft.Extensions.Logging.Abstractions;
using Prometheus;

namespace ImapDirector.Director.Tests.Login;

/// <summary>A login dialogue on a real connection, which refuses every attempt and keeps what it brought.</summary>
internal sealed class DialogueUnderTest : IAsyncDisposable
{
    private readonly ServerCertificate _certificate = TestCertificate.Create();
    private readonly ServerHandshake _handshake;
    private readonly Connection _connection;
    private readonly LoginDialogue _dialogue;
    private readonly Task _serving;

    private DialogueUnderTest(Connection connection, ImapConversation client, DirectorOptions options, bool isImplicitTls)
    {
        _handshake = new ServerHandshake(_certificate, options.HandshakeTimeout);
        (_connection, Client) = (connection, client);
        // Of a Redis that is never there: what SCRAM needs is not to be had.
        var redis = new RedisConnection(options, new DirectorMetrics(Metrics.WithCustomRegistry(Metrics.NewCustomRegistry())), NullLogger<RedisConnection>.Instance);
        var scram = new ScramVerifiers(options, new DatabaseChain([]), new PasswordHasher(), new ClusterSecret(redis));
        var masters = new MasterLogin(options, new DatabaseChain([]), (_, _) => Task.FromResult<bool?>(false), new PasswordHasher(), scram, NullLoggerFactory.Instance);
        _dialogue = new LoginDialogue(connection, options, _handshake, new NodeCapabilities(), new LoginProofs(scram, null, new CertificateLogin(new DatabaseChain([]), null), masters));
        _serving = ServeAsync(isImplicitTls);
    }

    public ImapConversation Client { get; }

    /// <summary>Name and password of each attempt, Latin-1.</summary>
    public List<(string Mechanism, string User, string Password)> Attempts { get; } = [];

    /// <summary>Whom those attempts want to be that want to be somebody else.</summary>
    public List<string> ActedFor { get; } = [];

    /// <summary>How the dialogue ended; waits for it.</summary>
    public async Task<SessionEnd> EndAsync()
    {
        await _serving.WaitAsync(TimeSpan.FromSeconds(30));
        return _dialogue.End;
    }

    /// <param name="from">The client's address, as a PROXY header would tell it; loopback without.</param>
    /// <param name="with">Changes the settings.</param>
    /// <param name="isImplicitTls">Whether TLS comes first.</param>
    public static async Task<DialogueUnderTest> StartAsync(string? from = null, Func<DirectorOptions, DirectorOptions>? with = null, bool isImplicitTls = false)
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var client = await ImapConversation.ConnectAsync((IPEndPoint)listener.LocalEndpoint);
        var connection = new Connection(await listener.AcceptSocketAsync());
        if (from is not null) connection.RemoteEndPoint = new IPEndPoint(IPAddress.Parse(from), 40000);
        var options = new DirectorOptions();
        return new DialogueUnderTest(connection, client, with?.Invoke(options) ?? options, isImplicitTls);
    }

    /// <summary>As <see cref="StartAsync"/>, with the greeting read.</summary>
    public static async Task<DialogueUnderTest> GreetedAsync(string? from = null, Func<DirectorOptions, DirectorOptions>? with = null)
    {
        var dialogue = await StartAsync(from, with);
        await dialogue.Client.PlayAsync("S: * OK [CAPABILITY IMAP4rev1 …");
        return dialogue;
    }

    public async ValueTask DisposeAsync()
    {
        await Client.DisposeAsync();
        await _serving.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _certificate.Dispose();
    }

    private async Task ServeAsync(bool isImplicitTls)
    {
        try
        {
            if (isImplicitTls) await _handshake.RunAsync(_connection, keepUnread: true, CancellationToken.None);
            await _dialogue.GreetAsync(CancellationToken.None);
            while (await _dialogue.NextAttemptAsync(CancellationToken.None) is { } attempt)
            {
                Attempts.Add((attempt.Mechanism, Encoding.Latin1.GetString(attempt.User), Encoding.Latin1.GetString(attempt.Password)));
                if (attempt.ActsFor is { } other) ActedFor.Add(Encoding.Latin1.GetString(other));
                attempt.Dispose();
                await _dialogue.RefuseAsync(attempt, LoginRefusal.AuthenticationFailed, CancellationToken.None);
            }
        }
        finally
        {
            await _connection.DisposeAsync();
        }
    }
}
