namespace ImapDirector.Storage.Exchange;

/// <summary>The line ends of a message. In files lines end with LF, in the store with CRLF; a message with both is left as it is, because nothing could tell
/// afterwards which was which.</summary>
/// <param name="Length">All bytes.</param>
/// <param name="CrLf">Line ends that are CRLF.</param>
/// <param name="BareLf">LF without CR.</param>
/// <param name="BareCr">CR without LF.</param>
internal readonly record struct LineEnds(long Length, long CrLf, long BareLf, long BareCr)
{
    private const int ReadBytes = 64 * 1024;

    /// <summary>Whether it can be written with LF and comes back the same.</summary>
    public bool AreAllCrLf => BareLf == 0 && BareCr == 0;

    /// <summary>Its bytes in a file.</summary>
    public long FileBytes => AreAllCrLf ? Length - CrLf : Length;

    /// <summary>Its bytes when every line ends with CRLF.</summary>
    public long NetworkBytes => Length + BareLf;

    /// <summary>Reads a stream to its end.</summary>
    public static LineEnds Count(Stream message)
    {
        var buffer = new byte[ReadBytes];
        long length = 0, crLf = 0, lineFeeds = 0, returns = 0;
        var isAfterReturn = false;
        for (int read; (read = message.Read(buffer)) > 0; length += read)
        {
            foreach (var value in buffer.AsSpan(0, read))
            {
                if (value == '\n')
                {
                    lineFeeds++;
                    if (isAfterReturn) crLf++;
                }
                isAfterReturn = value == '\r';
                if (isAfterReturn) returns++;
            }
        }
        return new LineEnds(length, crLf, lineFeeds - crLf, returns - crLf);
    }
}
