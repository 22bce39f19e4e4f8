namespace ImapDirector.Storage.Sessions;

/// <summary>The extensions that change what a client is told without being asked: switched on by ENABLE (RFC 5161) or by first use, never off again.</summary>
internal sealed class EnabledExtensions
{
    /// <summary>Flags are told with their mod-sequence (RFC 7162 section 3.1).</summary>
    public bool CondStore { get; set; }

    /// <summary>Expunges are told as VANISHED, flags with their UID (RFC 7162 section 3.2).</summary>
    public bool QResync { get; set; }
}
