using System.Buffers;
using System.Text;
using BenchmarkDotNet.Attributes;
using ImapDirector.Protocol.Imap;

namespace ImapDirector.Micro;

/// <summary>What a command costs until it is understood.</summary>
[MemoryDiagnoser]
public class ParserBenchmarks
{
    private ReadOnlySequence<byte> _frame;

    /// <summary>The command.</summary>
    [Params("a NOOP", "a LOGIN alice@example.com \"correct horse\"", "a UID FETCH 1:*,77 (UID FLAGS BODY.PEEK[HEADER.FIELDS (FROM TO SUBJECT)])",
        "a UID SEARCH OR FROM bob SINCE 1-Feb-2026 NOT KEYWORD $Junk")]
    public string Command { get; set; } = "";

    /// <summary>Its bytes.</summary>
    [GlobalSetup]
    public void SetUp() => _frame = new ReadOnlySequence<byte>(Encoding.ASCII.GetBytes(Command + "\r\n"));

    /// <summary>One command.</summary>
    [Benchmark]
    public bool Parse() => ImapCommandParser.TryParse(_frame, default, out _, out _);
}
