using MimeKit.Utils;

namespace ImapDirector.Storage.Store.Mime;

/// <summary>The day of the Date field as its writer saw it (RFC 3501 section 6.4.4: SENTON disregards time and zone).</summary>
internal static class SentDate
{
    /// <returns><c>null</c> when there is no such field, or no date in it.</returns>
    public static DateOnly? Of(HeaderFields header) =>
        header.Find("Date") is { } value && DateUtils.TryParse(value, out var date) ? DateOnly.FromDateTime(date.DateTime) : null;
}
