namespace ImapDirector.Network.Lmtp;

/// <summary>A message that comes in pieces (BDAT, RFC 3030), between one piece and the next.</summary>
internal sealed class ChunkedMessage(LmtpServerOptions options) : IAsyncDisposable
{
    private bool _isAfterCr;
    private bool _hasBareLineEnd;

    public IncomingMessage Message { get; } = new(options);

    /// <summary>Whether it has a CR without LF or an LF without CR. Nobody can take it for a line end here, but somebody behind us could (limits L1).</summary>
    public bool HasBareLineEnd => _hasBareLineEnd || _isAfterCr;

    public ValueTask AddAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        Look(bytes.Span);
        return Message.AddAsync(bytes, cancellationToken);
    }

    public ValueTask DisposeAsync() => Message.DisposeAsync();

    private void Look(ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            if (_isAfterCr)
            {
                _isAfterCr = false;
                _hasBareLineEnd |= bytes[0] != '\n';
                if (bytes[0] == '\n') bytes = bytes[1..];
            }
            var end = bytes.IndexOfAny((byte)'\r', (byte)'\n');
            if (end < 0) return;
            _isAfterCr = bytes[end] == '\r';
            _hasBareLineEnd |= !_isAfterCr;
            bytes = bytes[(end + 1)..];
        }
    }
}
