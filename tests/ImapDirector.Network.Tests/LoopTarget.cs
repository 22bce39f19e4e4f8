using System.Text;
using ImapDirector.Network.Polling;

namespace ImapDirector.Network.Tests;

/// <summary>Takes a connection over, and tells what it hears first.</summary>
internal sealed class LoopTarget : IPollTarget
{
    public LoopSocket Socket { get; set; } = null!;

    public TaskCompletionSource<string> Received { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public int Descriptor => Socket.Descriptor;

    public void OnReady(PollEvents events)
    {
        var buffer = new byte[PollLoop.BufferBytes];
        if (Socket.Receive(buffer, out _) is > 0 and var count) Received.TrySetResult(Encoding.ASCII.GetString(buffer, 0, count));
    }

    public void OnGivenUp()
    {
    }
}
