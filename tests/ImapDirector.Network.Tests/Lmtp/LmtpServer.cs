using System.Collections.Concurrent;
using System.Net;
using System.Text;
using ImapDirector.Network.Lmtp;
using Microsoft.Extensions.Logging.Abstractions;

namespace ImapDirector.Network.Tests.Lmtp;

/// <summary>An LMTP server on a free loopback port, with a handler that answers as a test tells it to and keeps what it was given.</summary>
internal sealed class LmtpServer : ILmtpHandler, IAsyncDisposable
{
    public const int MaxMessageBytes = 1000;

    private readonly TaskCompletionSource _drainBegan = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly DirectoryInfo _spool = Directory.CreateTempSubdirectory("imapdirector-");

    private LmtpServer(Func<LmtpServerOptions, LmtpServerOptions>? change, string? spoolDirectory)
    {
        var options = new LmtpServerOptions("mx.example.com", MaxMessageBytes, spoolDirectory ?? _spool.FullName) { RefusalDelay = TimeSpan.Zero };
        options = change?.Invoke(options) ?? options;
        Listener = new Listener("lmtp", new IPEndPoint(IPAddress.Loopback, 0), new ConnectionLimits(100, 100),
            async (connection, drain) =>
            {
                await using var _ = drain.Register(() => _drainBegan.TrySetResult());
                await new LmtpServerSession(connection, this, options, NullLogger.Instance).RunAsync(drain);
            }, NullLogger.Instance);
    }

    public Listener Listener { get; }

    /// <summary>Completes once a session has been told of the drain.</summary>
    public Task DrainBegan => _drainBegan.Task;

    public IPEndPoint EndPoint => Listener.LocalEndPoint;

    /// <summary>The answer to a recipient; who begins with <c>no</c> is refused, unless a test has it otherwise.</summary>
    public Func<string, LmtpReply> Recipient { get; set; } = static address =>
        address.StartsWith("no", StringComparison.Ordinal) ? new LmtpReply(550, "5.1.1", "No such user") : new LmtpReply(250, "2.1.5", "Ok");

    /// <summary>The answers after the message, unless a test has them otherwise each recipient's own.</summary>
    public Func<LmtpTransaction, Task<IReadOnlyList<LmtpReply>>> Delivered { get; set; } = static transaction =>
        Task.FromResult<IReadOnlyList<LmtpReply>>(transaction.Recipients.ConvertAll(static recipient => new LmtpReply(250, "2.0.0", $"Stored for {recipient.Address}")));

    public ConcurrentQueue<(LmtpTransaction Envelope, string Message)> Messages { get; } = new();

    public static LmtpServer Start(Func<LmtpServerOptions, LmtpServerOptions>? change = null, string? spoolDirectory = null)
    {
        var server = new LmtpServer(change, spoolDirectory);
        server.Listener.Start();
        return server;
    }

    public ValueTask<LmtpReply> AddRecipientAsync(LmtpTransaction transaction, LmtpRecipient recipient, CancellationToken cancellationToken) =>
        ValueTask.FromResult(Recipient(recipient.Address));

    public async ValueTask<IReadOnlyList<LmtpReply>> DeliverAsync(LmtpTransaction transaction, MessageSpool message, CancellationToken cancellationToken)
    {
        using var bytes = new MemoryStream();
        await using (var body = message.OpenRead()) await body.CopyToAsync(bytes, cancellationToken);
        Messages.Enqueue((transaction, Encoding.Latin1.GetString(bytes.ToArray())));
        return await Delivered(transaction);
    }

    public async ValueTask DisposeAsync()
    {
        await Listener.DisposeAsync();
        _spool.Delete(recursive: true);
    }
}
