namespace ImapDirector.Storage.Sessions;

/// <summary>The extensions that change what a client is told without being asked: switched on by ENABLE (RFC 5161) or by first use, never off again.</summary>
internal sealed class EnabledExtensions
{
    /// <summary>Flags are told with their mod-sequence (RFC 7162 section 3.1).</summary>
    public bool CondStore { get; set; }

    /// <summary>Expunges are told as VANISHED, flags with their UID (RFC 7162 section 3.2).</summary>
    public bool QResync { get; set; }

    /// <summary>The session speaks IMAP4rev2 (RFC 9051): no <c>\Recent</c>, ESEARCH instead of SEARCH, names in UTF-8.</summary>
    public bool Imap4Rev2 { get; set; }

    /// <summary>UTF8=ACCEPT (RFC 6855).</summary>
    public bool Utf8Accept { get; set; }

    /// <summary>The session knows no message numbers (RFC 9586): FETCH is told as UIDFETCH, expunges as VANISHED.</summary>
    public bool UidOnly { get; set; }

    /// <summary>Whether expunges are told by UID.</summary>
    public bool TellsVanished => QResync || UidOnly;

    /// <summary>Whether mailbox names are UTF-8 rather than modified UTF-7.</summary>
    public bool Utf8Names => Imap4Rev2 || Utf8Accept;
}
