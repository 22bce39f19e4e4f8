using System.Buffers;
using System.Buffers.Text;
using ImapDirector.Network;
using ImapDirector.Network.Polling;
using ImapDirector.Protocol.Imap;

namespace ImapDirector.Director.Login;

/// <summary>The lines of a SASL exchange in IMAP (RFC 9051 section 6.2.2): a challenge, and the client's response to it.</summary>
internal sealed class SaslLines(Connection client, ImapCommandReader reader)
{
    /// <summary>Why there is no response, or no attempt.</summary>
    public SaslFailure Failure { get; private set; }

    /// <summary>Sends a challenge.</summary>
    /// <param name="challenge">As the mechanism has it.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>The response, still in base64; <c>null</c> when there is none.</returns>
    public async ValueTask<byte[]?> AskAsync(ReadOnlyMemory<byte> challenge, CancellationToken cancellationToken)
    {
        var encoded = new byte[Base64.GetMaxEncodedToUtf8Length(challenge.Length)];
        Base64.EncodeToUtf8(challenge.Span, encoded, out _, out var length);
        client.Output.Raw("+ "u8);
        client.Output.Raw(encoded.AsSpan(0, length));
        client.Output.EndLine();
        await client.Output.FlushAsync(cancellationToken);
        var line = await reader.ReadLineAsync(cancellationToken);
        // A mechanism may take longer over it than others of a loop's should wait.
        await PollLoop.LeaveAsync();
        if (line.Kind != FrameKind.Command)
        {
            Failure = line.Kind == FrameKind.EndOfStream ? SaslFailure.EndOfStream : SaslFailure.TooLong;
            return null;
        }
        var bytes = line.Bytes.ToArray();
        reader.ForgetFrame();
        if (bytes is not [(byte)'*']) return bytes;
        Failure = SaslFailure.Cancelled;
        return null;
    }

    /// <summary>Gives up.</summary>
    public LoginAttempt? Fail(SaslFailure failure)
    {
        Failure = failure;
        return null;
    }
}

/// <summary>Why a SASL exchange brought no credentials.</summary>
internal enum SaslFailure
{
    /// <summary>What was sent is no base64, or not what the mechanism sends.</summary>
    Malformed,
    /// <summary>The client sent <c>*</c>.</summary>
    Cancelled,
    /// <summary>A response over the limit (limits P2).</summary>
    TooLong,
    /// <summary>The client closed.</summary>
    EndOfStream,
}
