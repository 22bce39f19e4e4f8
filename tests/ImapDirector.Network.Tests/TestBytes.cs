using System.Buffers;
using System.IO.Pipelines;
using System.Text;

namespace ImapDirector.Network.Tests;

/// <summary>Lines over pipes, each read within a time that only a hang exceeds.</summary>
internal static class TestBytes
{
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    public static async Task SayAsync(this Connection connection, string text) =>
        await connection.Output.WriteAsync(Encoding.Latin1.GetBytes(text)).AsTask().WaitAsync(Patience);

    public static Task<string> HearAsync(this Connection connection, int bytes) => connection.Input.HearAsync(bytes);

    public static async Task<string> HearAsync(this PipeReader input, int bytes)
    {
        using var patience = new CancellationTokenSource(Patience);
        var result = await input.ReadAtLeastAsync(bytes, patience.Token);
        var heard = result.Buffer.Slice(0, Math.Min(bytes, result.Buffer.Length));
        var text = Encoding.Latin1.GetString(heard);
        input.AdvanceTo(heard.End);
        return text;
    }

    public static async Task UntilAsync(Func<bool> isSo)
    {
        using var patience = new CancellationTokenSource(Patience);
        while (!isSo()) await Task.Delay(1, patience.Token);
    }
}
