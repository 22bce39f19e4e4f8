namespace ImapDirector.Network.Lmtp;

/// <summary>A message while it comes in. Once it is over the limit, or cannot be kept, the rest is thrown away as it comes.</summary>
internal sealed class IncomingMessage(LmtpServerOptions options) : IAsyncDisposable
{
    /// <summary>What has been kept.</summary>
    public MessageSpool Spool { get; } = new(options.SpoolDirectory);

    /// <summary>Bytes that came, kept or not.</summary>
    public long Received { get; private set; }

    /// <summary>Whether it is over the limit.</summary>
    public bool IsTooLarge { get; private set; }

    /// <summary>Why it could not be kept, or <c>null</c>.</summary>
    public Exception? Failure { get; private set; }

    /// <summary>Whether so many more bytes stay within the limit; else it is over it from now on.</summary>
    public bool MayTake(long bytes)
    {
        IsTooLarge |= bytes > options.MaxMessageBytes - Received;
        return !IsTooLarge;
    }

    public async ValueTask AddAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        MayTake(bytes.Length);
        Received += bytes.Length;
        if (IsTooLarge || Failure is not null)
        {
            await Spool.DisposeAsync();
            return;
        }
        try
        {
            await Spool.WriteAsync(bytes, cancellationToken);
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
        {
            // The disk's trouble, not the connection's: the message is still read to its end, so that each recipient gets an answer.
            Failure = refused;
        }
    }

    public ValueTask DisposeAsync() => Spool.DisposeAsync();
}
