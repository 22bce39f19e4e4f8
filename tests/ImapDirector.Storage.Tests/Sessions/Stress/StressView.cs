using System.Globalization;
using System.Text.RegularExpressions;
using Xunit;

namespace ImapDirector.Storage.Tests.Sessions.Stress;

/// <summary>What a client knows of a message: its UID (0 before it was told), its flags (<c>null</c> before they were) and its mod-sequence.</summary>
internal sealed class SeenMessage
{
    public uint Uid { get; set; }

    public string? Flags { get; set; }

    public ulong ModSeq { get; set; }

    /// <summary>Of the model's message, when the mod-sequence was told.</summary>
    public int Version { get; set; }

    /// <summary>Mod-sequence and version as they were when a command named it.</summary>
    public ulong ModSeqBefore { get; set; }

    public int VersionBefore { get; set; }

    public SeenMessage Copy() => new() { Uid = Uid, Flags = Flags, ModSeq = ModSeq };
}

/// <summary>What a client knows of the selected mailbox, from nothing but the responses it gets. A response it does not understand fails.</summary>
internal sealed partial class StressView
{
    private bool _usesVanished;
    private bool _isResynchronising;

    private int? _announced;
    private readonly List<(int Number, uint Uid)> _numbered = [];

    public List<SeenMessage> Messages { get; private set; } = [];

    public uint UidValidity { get; private set; }

    public ulong HighestModSeq { get; private set; }

    /// <summary>The numbers of the last SEARCH.</summary>
    public uint[] Found { get; private set; } = [];

    /// <summary>The numbers or UIDs behind MODIFIED of the last command.</summary>
    public HashSet<uint> Modified { get; private set; } = [];

    /// <summary>Mod-sequences that were told since the last command began.</summary>
    public List<(uint Uid, ulong ModSeq)> ToldModSeqs { get; } = [];

    public string Describe() => string.Join('\n', Messages.Select(static message => $"{message.Uid}: {message.Flags}"));

    /// <summary>A mailbox is selected anew.</summary>
    /// <param name="usesVanished">Whether VANISHED takes the place of EXPUNGE.</param>
    /// <param name="remembered">What is remembered of it when it is resynchronised; UIDs are what counts until then.</param>
    public void Begin(bool usesVanished, IReadOnlyList<SeenMessage>? remembered)
    {
        (_usesVanished, _isResynchronising, Messages, HighestModSeq) = (usesVanished, remembered is not null, [.. remembered ?? []], 0);
        _numbered.Clear();
        _announced = null;
    }

    /// <summary>The SELECT is done.</summary>
    public void EndResynchronising(string about)
    {
        if (!_isResynchronising) return;
        _isResynchronising = false;
        Assert.True(_announced == Messages.Count, $"{about}: {_announced} EXISTS, and the resynchronised view has {Messages.Count}:\n{Describe()}");
        foreach (var (number, uid) in _numbered) Assert.Equal(uid, Messages[number - 1].Uid);
    }

    public void BeginCommand()
    {
        (Found, Modified) = ([], []);
        ToldModSeqs.Clear();
    }

    /// <summary>The tagged answer.</summary>
    public void LearnEnd(string line)
    {
        if (ModifiedPattern().Match(line) is { Success: true } modified) Modified = [.. Numbers(modified.Groups["set"].Value)];
        LearnCode(line);
    }

    public void Learn(string line, bool mayExpunge, string command)
    {
        if (CountPattern().Match(line) is { Success: true } count) LearnCount(count, line, mayExpunge, command);
        else if (FetchPattern().Match(line) is { Success: true } fetch) LearnFetch(fetch, $"{command}: {line}");
        else if (VanishedPattern().Match(line) is { Success: true } vanished)
        {
            Assert.True(_usesVanished && (mayExpunge || vanished.Groups["earlier"].Success), $"{command}: {line}");
            var (uids, isEarlier) = (Numbers(vanished.Groups["set"].Value).ToList(), vanished.Groups["earlier"].Success);
            if (_isResynchronising && !isEarlier)
            {
                // It was there when the mailbox was selected, and gone before its turn came to be told.
                foreach (var uid in uids) FindOrInsert(uid).Uid = uid;
                EndResynchronising($"{command}: {line}");
            }
            foreach (var uid in uids) LearnVanished(uid, isEarlier, $"{command}: {line}");
        }
        else if (SearchPattern().Match(line) is { Success: true } search)
        {
            Found = [.. search.Groups["numbers"].Value.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(static number => uint.Parse(number, CultureInfo.InvariantCulture))];
        }
        else if (CodePattern().IsMatch(line)) LearnCode(line);
        else Assert.True(IgnoredPattern().IsMatch(line), $"{command}: nobody expects \"{line}\"");
    }

    private void LearnCount(Match count, string line, bool mayExpunge, string command)
    {
        var number = int.Parse(count.Groups["number"].Value, CultureInfo.InvariantCulture);
        if (count.Groups["kind"].Value == "EXPUNGE")
        {
            Assert.True(mayExpunge && !_usesVanished, $"{command}: {line}");
            Assert.InRange(number, 1, Messages.Count);
            Messages.RemoveAt(number - 1);
        }
        else if (count.Groups["kind"].Value == "EXISTS")
        {
            // Others go on while it selects: a second count is news like any other.
            if (_isResynchronising && _announced is not null) EndResynchronising($"{command}: {line}");
            _announced = number;
            if (_isResynchronising) return;
            // Only EXPUNGE makes a mailbox smaller.
            Assert.True(number >= Messages.Count, $"{command}: {line}, and there were {Messages.Count}");
            while (Messages.Count < number) Messages.Add(new SeenMessage());
        }
    }

    private void LearnVanished(uint uid, bool isEarlier, string about)
    {
        if (Messages.RemoveAll(message => message.Uid == uid) > 0) return;
        // Those of before may be some the client has never seen.
        if (isEarlier) return;
        // One whose UID it was not told yet lies between its neighbours.
        var next = Messages.FindIndex(message => message.Uid > uid);
        var unknown = (next < 0 ? Messages.Count : next) - 1;
        Assert.True(unknown >= 0 && Messages[unknown].Uid == 0, $"{about}: nobody knows UID {uid}");
        Messages.RemoveAt(unknown);
    }

    private void LearnFetch(Match fetch, string about)
    {
        uint? uid = null;
        string? flags = null;
        ulong? modSeq = null;
        foreach (Match item in ItemPattern().Matches(fetch.Groups["items"].Value))
        {
            if (item.Groups["uid"].Success) uid = uint.Parse(item.Groups["uid"].Value, CultureInfo.InvariantCulture);
            if (item.Groups["modseq"].Success) modSeq = ulong.Parse(item.Groups["modseq"].Value, CultureInfo.InvariantCulture);
            // \Recent is each session's own.
            if (item.Groups["flags"].Success) flags = string.Join(' ', item.Groups["flags"].Value.Split(' ').Where(static flag => flag is not ("\\Recent" or "")).Order(StringComparer.Ordinal));
        }
        SeenMessage message;
        var number = int.Parse(fetch.Groups["number"].Value, CultureInfo.InvariantCulture);
        if (_isResynchronising)
        {
            Assert.True(uid is not null, about);
            _numbered.Add((number, uid.Value));
            message = FindOrInsert(uid.Value);
        }
        else
        {
            Assert.True(number >= 1 && number <= Messages.Count, $"{about}, of {Messages.Count}");
            message = Messages[number - 1];
        }
        if (uid is { } told)
        {
            Assert.True(message.Uid == 0 || message.Uid == told, $"{about}, and it was UID {message.Uid}");
            message.Uid = told;
        }
        if (flags is not null) message.Flags = flags;
        if (modSeq is not { } value) return;
        Assert.True(value >= message.ModSeq, $"{about}, and it was {message.ModSeq}");
        message.ModSeq = value;
        if (message.Uid > 0) ToldModSeqs.Add((message.Uid, value));
    }

    private SeenMessage FindOrInsert(uint uid)
    {
        var index = Messages.FindIndex(known => known.Uid >= uid);
        if (index < 0) index = Messages.Count;
        if (index == Messages.Count || Messages[index].Uid != uid) Messages.Insert(index, new SeenMessage());
        return Messages[index];
    }

    private void LearnCode(string line)
    {
        if (HighestPattern().Match(line) is { Success: true } highest)
        {
            var told = ulong.Parse(highest.Groups["number"].Value, CultureInfo.InvariantCulture);
            Assert.True(told >= HighestModSeq, $"{line}, and it was {HighestModSeq}");
            HighestModSeq = told;
        }
        if (ValidityPattern().Match(line) is { Success: true } validity) UidValidity = uint.Parse(validity.Groups["number"].Value, CultureInfo.InvariantCulture);
    }

    private static IEnumerable<uint> Numbers(string set)
    {
        foreach (var range in set.Split(','))
        {
            var ends = range.Split(':').Select(static end => uint.Parse(end, CultureInfo.InvariantCulture)).ToArray();
            for (var number = ends[0]; number <= ends[^1]; number++) yield return number;
        }
    }

    [GeneratedRegex(@"^\* (?<number>\d+) (?<kind>EXISTS|EXPUNGE|RECENT)$")]
    private static partial Regex CountPattern();

    [GeneratedRegex(@"^\* (?<number>\d+) FETCH \((?<items>(?: ?(?:UID \d+|FLAGS \([^)]*\)|MODSEQ \(\d+\)))+)\)$")]
    private static partial Regex FetchPattern();

    [GeneratedRegex(@"UID (?<uid>\d+)|FLAGS \((?<flags>[^)]*)\)|MODSEQ \((?<modseq>\d+)\)")]
    private static partial Regex ItemPattern();

    [GeneratedRegex(@"^\* VANISHED (?<earlier>\(EARLIER\) )?(?<set>[\d:,]+)$")]
    private static partial Regex VanishedPattern();

    [GeneratedRegex(@"^\* SEARCH(?<numbers>(?: \d+)*)(?: \(MODSEQ \d+\))?$")]
    private static partial Regex SearchPattern();

    [GeneratedRegex(@"^\* OK \[(?:HIGHESTMODSEQ|UIDVALIDITY) \d+\]")]
    private static partial Regex CodePattern();

    [GeneratedRegex(@"\[HIGHESTMODSEQ (?<number>\d+)\]")]
    private static partial Regex HighestPattern();

    [GeneratedRegex(@"\[UIDVALIDITY (?<number>\d+)\]")]
    private static partial Regex ValidityPattern();

    [GeneratedRegex(@"\[MODIFIED (?<set>[\d:,]+)\]")]
    private static partial Regex ModifiedPattern();

    [GeneratedRegex(@"^\* (?:FLAGS \([^)]*\)|OK \[(?:PERMANENTFLAGS \([^)]*\)|UNSEEN \d+|UIDNEXT \d+|MAILBOXID \([^)]*\)|URLMECH INTERNAL|CLOSED|COPYUID [\d:, ]+)\].*|ENABLED [A-Z ]+)$")]
    private static partial Regex IgnoredPattern();
}
