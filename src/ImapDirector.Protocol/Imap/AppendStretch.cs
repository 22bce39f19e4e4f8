using System.Collections.Immutable;

namespace ImapDirector.Protocol.Imap;

/// <summary>A stretch of APPEND or REPLACE: what the session has to do, in order, up to the bytes of the next literal or the end of the command.</summary>
/// <param name="Steps">At least one.</param>
/// <param name="Place">Where the next stretch begins; <see cref="AppendPlace.Complete"/> when there is none.</param>
public sealed record AppendStretch(ImmutableArray<AppendStep> Steps, AppendPlace Place)
{
    /// <summary>The literal that the stretch ends with, whose bytes come next; <c>null</c> at the end of the command.</summary>
    public LiteralHeader? Announced => Place == AppendPlace.Complete ? null : ((LiteralStep)Steps[^1]).Header;
}

/// <summary>A step of an <see cref="AppendStretch"/>.</summary>
public abstract record AppendStep;

/// <summary>A message begins.</summary>
/// <param name="Flags">The flags given, or none.</param>
/// <param name="Date">The date-time given, or <c>null</c> for now.</param>
public sealed record StartOfMessage(FlagList Flags, DateTimeOffset? Date) : AppendStep;

/// <summary>A literal, whose bytes the session reads through the <see cref="ImapCommandReader"/>.</summary>
/// <param name="Header">Its announcement.</param>
/// <param name="Use">What its bytes are.</param>
public sealed record LiteralStep(LiteralHeader Header, LiteralUse Use) : AppendStep;

/// <summary>The message goes on with the bytes that a URL names (RFC 4469 section 3).</summary>
/// <param name="Url">The URL as it was sent.</param>
public sealed record UrlStep(string Url) : AppendStep;

/// <summary>The message has all its bytes.</summary>
public sealed record EndOfMessage : AppendStep;

/// <summary>What the bytes of a <see cref="LiteralStep"/> are.</summary>
public enum LiteralUse
{
    /// <summary>The message, or a part of it.</summary>
    Content,
    /// <summary>A URL, as of <see cref="UrlStep"/>.</summary>
    Url,
}

/// <summary>Where in APPEND or REPLACE something stands.</summary>
public enum AppendPlace
{
    /// <summary>In front of the first message.</summary>
    BeforeMessage,
    /// <summary>Behind a message; another may follow (RFC 3502).</summary>
    BehindMessage,
    /// <summary>Behind a literal in <c>UTF8 (…)</c>, whose parenthesis is still to be closed (RFC 6855 section 4).</summary>
    InUtf8,
    /// <summary>Behind a part in <c>CATENATE (…)</c>.</summary>
    BehindPart,
    /// <summary>As <see cref="InUtf8"/>, inside <c>CATENATE (…)</c>.</summary>
    InUtf8Part,
    /// <summary>At the end of the command.</summary>
    Complete,
}
