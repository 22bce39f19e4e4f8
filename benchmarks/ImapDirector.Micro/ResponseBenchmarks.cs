using System.Buffers;
using BenchmarkDotNet.Attributes;
using ImapDirector.Director.Relay;
using ImapDirector.Protocol.Imap;

namespace ImapDirector.Micro;

/// <summary>What responses cost: to be written, and to be followed by the relay.</summary>
[MemoryDiagnoser]
public class ResponseBenchmarks
{
    private readonly ArrayBufferWriter<byte> _output = new(4096);
    private readonly byte[] _answers = "* 12 FETCH (UID 34 FLAGS (\\Seen) RFC822.SIZE 4711)\r\na OK FETCH completed.\r\n"u8.ToArray();

    /// <summary>A tagged answer.</summary>
    [Benchmark]
    public int WriteStatus()
    {
        _output.ResetWrittenCount();
        _output.Status("a1", ImapStatus.Ok, "", "NOOP completed.");
        return _output.WrittenCount;
    }

    /// <summary>Two lines that pass.</summary>
    [Benchmark]
    public bool FollowLines()
    {
        var boundary = default(ResponseBoundary);
        boundary.Advance(_answers);
        return boundary.IsAtEndOfResponse;
    }
}
