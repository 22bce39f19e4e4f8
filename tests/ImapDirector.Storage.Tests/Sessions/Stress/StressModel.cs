using Xunit;

namespace ImapDirector.Storage.Tests.Sessions.Stress;

/// <summary>A message as it has to be.</summary>
internal sealed class ModelMessage(uint uid, IEnumerable<string> flags)
{
    // The mod-sequence told last, and of which version of the flags.
    private ulong _modSeq;
    private int _toldVersion;

    public uint Uid => uid;

    public SortedSet<string> Flags { get; } = new(flags, StringComparer.Ordinal);

    /// <summary>Grows with each change of the flags.</summary>
    public int Version { get; private set; } = 1;

    /// <summary>Told last.</summary>
    public ulong ModSeq => _modSeq;

    public string Text => string.Join(' ', Flags);

    public void Change(Action<SortedSet<string>> change)
    {
        var before = Text;
        change(Flags);
        if (Text != before) Version++;
    }

    /// <summary>A mod-sequence after a time in which nobody knows how often the flags changed.</summary>
    public void TookOver(ulong modSeq, string mailbox)
    {
        var isSame = _toldVersion == Version;
        Assert.True(isSame ? modSeq >= _modSeq : modSeq > _modSeq, $"{mailbox}: UID {uid} has mod-sequence {modSeq} after {_modSeq}");
        // It may have changed there and back.
        if (isSame && modSeq > _modSeq) Version++;
        (_modSeq, _toldVersion) = (modSeq, Version);
    }

    /// <summary>A mod-sequence stands for one version of the flags, and grows with them.</summary>
    public void Told(ulong modSeq, string about)
    {
        if (_toldVersion == Version) Assert.True(modSeq == _modSeq, $"{about}: UID {uid} had {_modSeq} and has not changed since");
        else Assert.True(modSeq > _modSeq, $"{about}: UID {uid} has changed and had {_modSeq} before");
        (_modSeq, _toldVersion) = (modSeq, Version);
    }
}

/// <summary>A mailbox as it has to be after the commands so far.</summary>
internal sealed class ModelMailbox(string name)
{
    private uint _uidValidity;
    private ulong _highestModSeq;

    public string Name => name;

    /// <summary>By UID.</summary>
    public List<ModelMessage> Messages { get; private set; } = [];

    public uint UidNext { get; private set; } = 1;

    public ModelMessage? Find(uint uid) => Messages.Find(message => message.Uid == uid);

    public void Add(IEnumerable<string> flags) => Messages.Add(new ModelMessage(UidNext++, flags));

    public void Expunge(Predicate<ModelMessage> which) => Messages.RemoveAll(which);

    /// <summary>Several sessions worked at once: what is there now is taken over, if it can have come from what was there before.</summary>
    public void TakeOver(uint uidNext, IReadOnlyList<(uint Uid, string Flags, ulong ModSeq)> now)
    {
        Assert.True(uidNext >= UidNext, $"UIDNEXT of {name} was {UidNext} and is {uidNext}");
        Assert.Equal(now.Select(static message => message.Uid).Distinct().Order(), now.Select(static message => message.Uid));
        var messages = new List<ModelMessage>();
        foreach (var (uid, flags, modSeq) in now)
        {
            Assert.True(uid < uidNext, $"UID {uid} of {name}, and UIDNEXT is {uidNext}");
            var message = Find(uid);
            Assert.True(message is not null || uid >= UidNext, $"UID {uid} of {name} is back, or late: UIDNEXT was {UidNext}");
            message ??= new ModelMessage(uid, []);
            message.Change(known =>
            {
                known.Clear();
                known.UnionWith(flags.Split(' ', StringSplitOptions.RemoveEmptyEntries));
            });
            message.TookOver(modSeq, name);
            messages.Add(message);
        }
        (Messages, UidNext) = (messages, uidNext);
    }

    public void ToldUidValidity(uint told)
    {
        Assert.True(_uidValidity == 0 || _uidValidity == told, $"UIDVALIDITY of {name} was {_uidValidity} and is {told}");
        _uidValidity = told;
    }

    public void ToldHighestModSeq(ulong told)
    {
        Assert.True(told >= _highestModSeq, $"HIGHESTMODSEQ of {name} was {_highestModSeq} and is {told}");
        _highestModSeq = told;
    }

    /// <summary>UIDs and flags, one a line.</summary>
    public string Describe() => string.Join('\n', Messages.Select(static message => $"{message.Uid}: {message.Text}"));
}
