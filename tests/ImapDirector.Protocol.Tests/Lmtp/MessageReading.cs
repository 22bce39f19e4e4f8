using System.IO.Pipelines;
using System.Text;
using ImapDirector.Protocol.Lmtp;
using ImapDirector.Tests.Shared;

namespace ImapDirector.Protocol.Tests.Lmtp;

/// <summary>What became of bytes behind DATA.</summary>
/// <param name="End">How the message ended.</param>
/// <param name="Message">The message.</param>
/// <param name="Rest">What is left in the pipe.</param>
internal sealed record MessageReading(LmtpDataEnd End, string Message, string Rest)
{
    public static MessageReading Of(string wire, params int[] cuts)
    {
        var input = new CutPipeReader(Encoding.Latin1.GetBytes(wire), cuts);
        var message = new StringBuilder();
        var end = LmtpDataReader.CopyAsync(input, (piece, _) =>
        {
            message.Append(Encoding.Latin1.GetString(piece.Span));
            return ValueTask.CompletedTask;
        }, CancellationToken.None).AsTask().GetAwaiter().GetResult();
        return new MessageReading(end, message.ToString(), wire[(int)input.BytesConsumed..]);
    }

    public static string Stuffed(string message)
    {
        using var wire = new MemoryStream();
        var output = PipeWriter.Create(wire);
        DotStuffing.WriteAsync(new MemoryStream(Encoding.Latin1.GetBytes(message)), output, CancellationToken.None).GetAwaiter().GetResult();
        output.Complete();
        return Encoding.Latin1.GetString(wire.ToArray());
    }
}
